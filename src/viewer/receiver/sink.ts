import { isThreadspanError } from '../../core/errors.js'
import { decodeLogs } from '../../otlp/decode-logs.js'
import { decodeMetrics } from '../../otlp/decode-metrics.js'
import { concat, encodeResource, encodeScope, lengthDelimited } from '../../otlp/encode.js'
import { encodeSpan } from '../../otlp/encode-span.js'
import { OtlpError } from '../../otlp/errors.js'
import { tracesFromJson } from '../../otlp/json.js'
import { logsFromJson } from '../../otlp/json-logs.js'
import { metricsFromJson } from '../../otlp/json-metrics.js'
import type { ScopeSpans, TraceRequest } from '../../otlp/types.js'
import type { Ingested } from '../store/contract.js'
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
    const json = encoding === 'json' ? parse(body) : undefined
    if (signal === 'traces')
      return this.#spans(json === undefined ? body : encodeTraces(tracesFromJson(json)))
    const taken = signal === 'metrics' ? this.#metrics(json, body) : this.#logs(json, body)
    if (taken.accepted > 0) this.journal?.signal(signal, encoding, body)
    return taken
  }

  /**
   * Takes one line of an OTLP JSON file, whatever its signal, as the OpenTelemetry Collector's file exporter writes them.
   * @throws OtlpError when it is not JSON of that form.
   */
  takeLine(line: string): Taken {
    const json = parseText(line)
    if (typeof json === 'object' && json !== null) {
      if ('resourceSpans' in json) return this.#spans(encodeTraces(tracesFromJson(json)))
      const signal = 'resourceMetrics' in json ? 'metrics' : 'resourceLogs' in json ? 'logs' : undefined
      if (signal !== undefined) return this.take(signal, 'json', Buffer.from(line))
    }
    throw new OtlpError('not an object with resourceSpans, resourceMetrics or resourceLogs')
  }

  #spans(body: Uint8Array): Taken {
    const { kept, refused } = this.store.ingest(body)
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

function parse(body: Uint8Array): unknown {
  return parseText(new TextDecoder().decode(body)) ?? null
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new OtlpError(`not JSON: ${(error as Error).message}`)
  }
}

/** The protobuf form of what came as JSON: the store keeps one form only. */
function encodeTraces(request: TraceRequest): Uint8Array {
  const groups = request.resourceSpans.map(({ resource, scopeSpans, schemaUrl }) => {
    const { attributes, droppedAttributesCount } = resource
    const parts = [lengthDelimited(0x0a, encodeResource(attributes, uint32(droppedAttributesCount)))]
    for (const inner of scopeSpans) parts.push(lengthDelimited(0x12, encodeScopeSpans(inner)))
    parts.push(...schema(schemaUrl))
    return lengthDelimited(0x0a, concat(parts))
  })
  return concat(groups)
}

function encodeScopeSpans({ scope, spans, schemaUrl }: ScopeSpans): Uint8Array {
  const { name, version, attributes, droppedAttributesCount } = scope
  const header = encodeScope(name, version, attributes, uint32(droppedAttributesCount))
  const encoded = spans.map((span) => lengthDelimited(0x12, encodeSpan(span)))
  return concat([lengthDelimited(0x0a, header), ...encoded, ...schema(schemaUrl)])
}

function schema(url: string): Uint8Array[] {
  return url === '' ? [] : [lengthDelimited(0x1a, Buffer.from(url))]
}

/** JSON may hold counts that no count can be. */
function uint32(value: number): number {
  return value >= 0 && value < 2 ** 32 ? value : 0
}

/** Whether `error` says that data is unreadable, and not that the viewer is broken. */
export function isMalformed(error: unknown): boolean {
  return isThreadspanError(error) && error.code === 'THREADSPAN_OTLP_MALFORMED'
}
