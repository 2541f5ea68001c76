import { OtlpError } from '../../otlp/errors.js'
import type { Signal } from './answers.js'

/** JSON in a format that is not read here. */
export class ForeignError extends OtlpError {
  /** @param format What it is, where that can be told: `a Chrome trace`. */
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

/** What traces are kept in beside what is read here, by the fields that only it has. */
export function formatOf(json: unknown): string | undefined {
  if (!isObject(json)) return undefined
  const { traceEvents } = json
  if (Array.isArray(traceEvents) || ('ph' in json && 'ts' in json)) return 'a Chrome trace'
  if ('resource_spans' in json || 'scope_spans' in json) return 'OTLP with field names in snake_case'
  if ('SpanContext' in json && 'InstrumentationScope' in json)
    return "an export of OpenTelemetry Go's stdout exporter"
  if ('traceId' in json && 'binaryAnnotations' in json) return 'Zipkin v1 JSON'
  if ('traceId' in json && 'spanId' in json) return 'spans without their resource'
  if ('context' in json && isObject(json['context']) && 'trace_id' in json['context'])
    return "an export of OpenTelemetry Python's console exporter"
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
