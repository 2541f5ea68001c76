import { allDropped, countOf, type Exporter } from './exporter.js'

/** An exporter that can be switched off: what comes meanwhile is dropped, and accounted for. */
export function switched(exporter: Exporter, isOn: () => boolean): Exporter {
  return {
    export: async (batches, deadline) =>
      isOn() ? exporter.export(batches, deadline) : allDropped(countOf(batches), 'switched-off'),
    hurry: (deadline) => exporter.hurry?.(deadline),
    get trouble() {
      return exporter.trouble
    },
    close: () => exporter.close(),
  }
}
