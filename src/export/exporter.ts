/**
 * What the Collector hands on, and the contract of everything that takes it: spans or log records, each signal by exporters of its own. They
 * arrive as the protobuf bytes that were made of them, and stay so until an exporter needs more than their bytes.
 */
import type { LineCode } from '../core/codes.js'

/** What is of one scope. */
export interface ScopeBatch {
  /** An encoded `InstrumentationScope` message. */
  readonly scope: Uint8Array
  readonly schemaUrl: string
  /** Complete, consecutive `ScopeSpans.spans` or `ScopeLogs.log_records` fields (tag 0x12, length, message), ready to be laid end to end. */
  readonly chunks: readonly Uint8Array[]
  /** How many of them the chunks hold together. */
  readonly count: number
}

/** What one process, that is one OTLP Resource, has to say. */
export interface Batch {
  /** An encoded `Resource` message. */
  readonly resource: Uint8Array
  readonly scopes: readonly ScopeBatch[]
  /** How many of them the scopes hold together. */
  readonly count: number
  /** How many bytes the chunks of all scopes hold together. */
  readonly bytes: number
}

/**
 * Why spans did not arrive. Ours are:
 * `rejected` (the server refused them for good), `endpoint` (it could not be reached), `timeout` (it did not answer),
 * `throttled` (it asked to wait beyond the deadline), `too-large` (one span alone is more than the server takes),
 * `closed` (the exporter was closed first), `file` and `output` (they could not be written), `failed` (anything else).
 */
export type DropCause = string

/** What became of the spans of one `export` call: `delivered` plus all of `dropped` is what was given. */
export interface ExportResult {
  delivered: number
  dropped: ReadonlyMap<DropCause, number>
  /** Of those dropped, the ones that no server refused: they can be given again, later. */
  undelivered?: readonly Batch[]
}

/** A destination for finished spans. */
export interface Exporter {
  /**
   * Takes spans to their destination. It never rejects.
   * @param deadline Milliseconds of `monotonicNow`, after which the attempt is given up. May be `Infinity`.
   */
  export(batches: readonly Batch[], deadline: number): Promise<ExportResult>
  /**
   * Brings the deadline of the calls under way forward: when the process ends, nobody waits for what was given
   * half a minute. A later deadline changes nothing.
   * @param deadline Milliseconds of `monotonicNow`.
   */
  hurry?(deadline: number): void
  /** Why what it was last given has not arrived yet; undefined where all is well, as far as is known. */
  readonly trouble?: DropCause | undefined
  /** Ends the calls under way (cause `closed`) and gives up what is held open. Calls after it drop everything. */
  close(): Promise<void>
}

/** `level` as in `OTEL_LOG_LEVEL`; `message` is one line and shows no secret. */
export type ExportLog = (level: 'debug' | 'info' | 'warn' | 'error', code: LineCode, message: string) => void

/** How many spans or log records are in `batches`. */
export function countOf(batches: readonly Batch[]): number {
  let count = 0
  for (const batch of batches) count += batch.count
  return count
}

/** Nothing was dropped. */
export function allDelivered(count: number): ExportResult {
  return { delivered: count, dropped: new Map() }
}

/** Nothing arrived, for one and the same cause. */
export function allDropped(count: number, cause: DropCause): ExportResult {
  return { delivered: 0, dropped: count > 0 ? new Map([[cause, count]]) : new Map() }
}
