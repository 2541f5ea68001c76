import { allDelivered, countOf, type Exporter } from './exporter.js'

/** `OTEL_TRACES_EXPORTER=none`: spans end here, as the user asked, so they count as delivered. */
export const noneExporter: Exporter = {
  export: async (batches) => allDelivered(countOf(batches)),
  close: async () => {},
}
