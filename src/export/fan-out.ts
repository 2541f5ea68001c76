import { allDropped, countOf, type Exporter, type ExportResult } from './exporter.js'

/**
 * Several destinations as one, each with its own pace until the deadline (OTLP specification, "Multi-Destination
 * Exporting"). Which spans a destination dropped is not known, so the result is that of the one that delivered the
 * fewest: a loss anywhere shows, and none is counted twice. Each tells the log of its own.
 */
export function fanOut(exporters: readonly Exporter[]): Exporter {
  return {
    async export(batches, deadline) {
      const attempts = exporters.map((exporter) =>
        exporter.export(batches, deadline).catch((): ExportResult => allDropped(countOf(batches), 'failed')),
      )
      const results = await Promise.all(attempts)
      const worst = results.reduce((one, other) => (other.delivered < one.delivered ? other : one))
      // What one destination lacks others may have: given again, it would reach those twice.
      return { delivered: worst.delivered, dropped: worst.dropped }
    },
    hurry(deadline) {
      for (const exporter of exporters) exporter.hurry?.(deadline)
    },
    get trouble() {
      return exporters.find(({ trouble }) => trouble !== undefined)?.trouble
    },
    async close() {
      await Promise.allSettled(exporters.map((exporter) => exporter.close()))
    },
  }
}
