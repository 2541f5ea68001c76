import { isThreadspanError } from '../../core/errors.js'
import { decodeLogs } from '../../otlp/decode-logs.js'
import { decodeMetrics } from '../../otlp/decode-metrics.js'
import { logsFromJson } from '../../otlp/json-logs.js'
import { metricsFromJson } from '../../otlp/json-metrics.js'
import { parseJson } from '../../otlp/json-parse.js'
import { encodeJsonTraces } from '../../otlp/json-traces.js'
import type { Ingested, Refusal } from '../store/contract.js'
import type { Logs } from '../store/logs.js'
import type { Metrics } from '../store/metrics.js'
import type { Store } from '../store/store.js'
import type { Encoding, Signal } from './answers.js'

/** What became of one request. */
export interface Taken {
  accepted: number
  rejected: number
  /** Why items were rejected, in words; empty when none were. */
  why: string
}

/** Hears the metrics and logs that were taken, as they came: the database. */
export interface SignalJournal {
  signal(signal: 'metrics' | 'logs', encoding: Encoding, body: Uint8Array): void
}

/** Where telemetry ends up, wherever it comes from: requests, files or the database. Counts what is taken and what is not. */
export class Sink {
  readonly received = { spans: 0, metrics: 0, logs: 0, requests: 0 }
  readonly dropped: Record<string, number> = {}
  journal: SignalJournal | undefined

  constructor(
    readonly store: Store,
    readonly metrics: Metrics,
    readonly logs: Logs,
  ) {}

  /** Counts `by` things that were not kept because of `cause`. */
  drop(cause: string, by = 1): void {
    if (by > 0) this.dropped[cause] = (this.dropped[cause] ?? 0) + by
  }

  /**
   * Takes the body of a request.
   * @throws OtlpError `THREADSPAN_OTLP_MALFORMED`, and then nothing of it is kept.
   */
  take(signal: Signal, encoding: Encoding, body: Uint8Array): Taken {
    this.received.requests++
    return this.#take(signal, encoding === 'json' ? (parseJson(body) ?? null) : undefined, body)
  }

  /**
   * Takes one JSON value of a file, whatever its signal.
   * @param json What `parseJson` made of the text.
   * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` when it is not OTLP JSON, and then nothing of it is kept.
   */
  takeValue(signal: Signal, json: unknown, text: Uint8Array): Taken {
    this.received.requests++
    return this.#take(signal, json, text)
  }

  /**
   * Takes encoded `ExportTraceServiceRequest`s that were made of data in another format.
   * @throws OtlpError `THREADSPAN_OTLP_MALFORMED`
   */
  takeSpans(requests: readonly Uint8Array[]): Taken {
    this.received.requests++
    return this.#spans(requests)
  }

  #take(signal: Signal, json: unknown, body: Uint8Array): Taken {
    if (signal === 'traces') return this.#spans(json === undefined ? [body] : encodeJsonTraces(json))
    const taken = signal === 'metrics' ? this.#metrics(json, body) : this.#logs(json, body)
    if (taken.accepted > 0) this.journal?.signal(signal, json === undefined ? 'protobuf' : 'json', body)
    return taken
  }

  #spans(requests: readonly Uint8Array[]): Taken {
    const refused: Ingested['refused'] = { 'invalid-id': 0, 'too-large': 0, duplicate: 0, full: 0 }
    let kept = 0
    for (const request of requests) {
      const ingested = this.store.ingest(request)
      kept += ingested.kept
      for (const cause of Object.keys(refused) as Refusal[]) refused[cause] += ingested.refused[cause]
    }
    this.received.spans += kept
    for (const [cause, number] of Object.entries(refused)) this.drop(cause, number)
    // A sender that tries again after a lost answer is right to do so: duplicates are accepted.
    const rejected = refused['invalid-id'] + refused['too-large'] + refused.full
    return { accepted: kept + refused.duplicate, rejected, why: reasons(refused) }
  }

  #metrics(json: unknown, body: Uint8Array): Taken {
    const { accepted, rejected } = this.metrics.add(
      json === undefined ? decodeMetrics(body) : metricsFromJson(json),
    )
    this.received.metrics += accepted
    this.drop('metric-series-limit', rejected)
    const why = rejected === 0 ? '' : `${rejected} data points of more time series than the viewer keeps`
    return { accepted, rejected, why }
  }

  #logs(json: unknown, body: Uint8Array): Taken {
    const accepted = this.logs.add(json === undefined ? decodeLogs(body) : logsFromJson(json))
    this.received.logs += accepted
    return { accepted, rejected: 0, why: '' }
  }
}

function reasons(refused: Ingested['refused']): string {
  const parts: string[] = []
  if (refused['invalid-id'] > 0)
    parts.push(`${refused['invalid-id']} spans have no valid trace id, span id or parent id`)
  if (refused['too-large'] > 0)
    parts.push(`${refused['too-large']} spans are larger than 1 MiB, or their resource or scope is`)
  if (refused.full > 0) parts.push(`${refused.full} spans of a trace that alone exceeds the viewer's limits`)
  return parts.join('; ')
}

/** Whether `error` says that data is unreadable, and not that the viewer is broken. */
export function isMalformed(error: unknown): boolean {
  return isThreadspanError(error) && error.code === 'THREADSPAN_OTLP_MALFORMED'
}
