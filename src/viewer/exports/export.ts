import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { chromeExport } from './chrome.js'
import { csvExport } from './csv.js'
import type { ExportFormat, Pieces } from './format.js'
import { otlpExport } from './otlp.js'
import { pprofExport } from './pprof.js'

/** A file to be written or sent. */
export interface Export {
  /** MIME type. */
  type: string
  /** What its name ends with, the dot included. */
  extension: string
  pieces: Pieces
}

const TYPES: Record<ExportFormat, Omit<Export, 'pieces'>> = {
  otlp: { type: 'application/x-ndjson', extension: '.otlp.jsonl' },
  chrome: { type: 'application/json', extension: '.chrome.json' },
  pprof: { type: 'application/octet-stream', extension: '.pb.gz' },
  csv: { type: 'text/csv; charset=utf-8; header=present', extension: '.csv' },
}

const WRITERS: Record<ExportFormat, (store: Store, traces: readonly Trace[]) => Pieces> = {
  otlp: otlpExport,
  chrome: chromeExport,
  pprof: pprofExport,
  csv: csvExport,
}

/** One trace, or without one everything in the store, the oldest first, in a format. */
export function exportOf(store: Store, format: ExportFormat, trace?: Trace): Export {
  store.settle()
  const traces = trace === undefined ? [...store.traces.values()] : [trace]
  const types = TYPES[format]
  // A viewer of one JSON object takes one trace of OTLP JSON.
  if (format === 'otlp' && trace !== undefined) {
    return { type: 'application/json', extension: '.otlp.json', pieces: otlpExport(store, traces) }
  }
  return { ...types, pieces: WRITERS[format](store, traces) }
}
