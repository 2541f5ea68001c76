/** Pieces of a file: a large one is never one string in memory. */
export type Pieces = Generator<string | Uint8Array, void>

/** What traces are exported as. */
export const EXPORT_FORMATS = ['otlp', 'chrome', 'pprof', 'csv'] as const

export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Whether a format of this name exists. */
export function isExportFormat(name: string): name is ExportFormat {
  return (EXPORT_FORMATS as readonly string[]).includes(name)
}
