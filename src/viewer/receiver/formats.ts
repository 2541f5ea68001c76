import { OtlpError } from '../../otlp/errors.js'
import type { Signal } from './answers.js'

/** JSON that is not OTLP. */
export class ForeignError extends OtlpError {
  /** @param format What it is, where that can be told: `Zipkin JSON`. */
  constructor(readonly format: string | undefined) {
    super(
      format === undefined
        ? 'not an object with resourceSpans, resourceMetrics or resourceLogs'
        : `${format}, which is not read here: export it as OTLP JSON`,
    )
  }
}

/** The signal of what `JSON.parse` made of OTLP JSON; undefined where it is none. */
export function signalIn(json: unknown): Signal | undefined {
  if (!isObject(json)) return undefined
  if ('resourceSpans' in json) return 'traces'
  if ('resourceMetrics' in json) return 'metrics'
  return 'resourceLogs' in json ? 'logs' : undefined
}

/** What traces are kept in beside OTLP, by the fields that only it has. */
export function formatOf(json: unknown): string | undefined {
  const first = Array.isArray(json) ? json[0] : json
  if (!isObject(first)) return undefined
  const { data, traceEvents, batches } = first
  if (Array.isArray(data) && isObject(data[0]) && 'traceID' in data[0] && 'spans' in data[0])
    return 'Jaeger JSON'
  if ('traceID' in first && ('spans' in first || 'spanID' in first)) return 'Jaeger JSON'
  if ('traceId' in first && 'id' in first && !('spanId' in first)) return 'Zipkin JSON'
  if (Array.isArray(traceEvents) || ('ph' in first && 'ts' in first)) return 'a Chrome trace'
  // Tempo answers with OTLP under names of its own: `resourceSpans` is called `batches`.
  if (Array.isArray(batches)) return 'an answer of Grafana Tempo'
  if ('resource_spans' in first || 'scope_spans' in first) return 'OTLP with field names in snake_case'
  if ('SpanContext' in first && 'InstrumentationScope' in first)
    return "an export of OpenTelemetry Go's stdout exporter"
  if ('traceId' in first && 'spanId' in first) return 'spans without their resource'
  if ('context' in first && isObject(first['context']) && 'trace_id' in first['context'])
    return "an export of OpenTelemetry Python's console exporter"
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
