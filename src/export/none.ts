import { allDelivered, countSpans, type Exporter } from './exporter.js'

/** `OTEL_TRACES_EXPORTER=none`: spans end here, as the user asked, so they count as delivered. */
export const noneExporter: Exporter = {
  export: async (batches) => allDelivered(countSpans(batches)),
  close: async () => {},
}
