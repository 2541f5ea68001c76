import { context as contextApi, isSpanContextValid } from '@opentelemetry/api'
import { spanOf } from '../context/context.js'
import { transactionIn } from '../context/transaction.js'
import { attempt } from '../core/attempt.js'

/** Ids of what is current, under the names that log processors look for. */
export interface LogFields {
  [field: string]: string
}

/**
 * Names of the fields:
 * - `otel`: `trace_id`, `span_id`, `trace_flags` (OpenTelemetry specification, "Trace Context in non-OTLP Log Formats"), and
 *   `transaction_id`, which it has no name for.
 * - `ecs`: `trace.id`, `span.id`, `transaction.id` (Elastic Common Schema, "Tracing Fields").
 */
export type LogFormat = 'otel' | 'ecs'

/** How {@link logFields} and what is built on it name the fields. */
export interface LogOptions {
  /** `otel` by default; `both` for a log that several systems read. */
  readonly format?: LogFormat | 'both'
}

/**
 * The ids by which a log line is found from its trace, and the trace from the line: of the active span and the transaction, in whichever
 * thread or process the work is. A new object; without an active span an empty one.
 */
export function logFields(options?: LogOptions): LogFields {
  const fields: LogFields = {}
  addLogFields(fields, options)
  return fields
}

/** Adds the fields to a record, except those that it has. Whatever the options are, or the active span is, a line is no worse for it. */
export function addLogFields(record: Record<string, unknown>, options?: LogOptions): void {
  const format = attempt(() => options?.format, 'log.value') ?? 'otel'
  const context = contextApi.active()
  const span = attempt(() => spanOf(context)?.spanContext(), 'log.value')
  if (span === undefined || !isSpanContextValid(span)) return
  const { traceId, spanId, traceFlags } = span
  const transaction = transactionIn(context)
  // A span can be the root of another trace than the transaction that it is made in.
  const transactionId = transaction?.traceId === traceId ? transaction.id : undefined
  if (format !== 'ecs') {
    record['trace_id'] ??= traceId
    record['span_id'] ??= spanId
    record['trace_flags'] ??= (traceFlags & 0xff).toString(16).padStart(2, '0')
    if (transactionId !== undefined) record['transaction_id'] ??= transactionId
  }
  if (format !== 'otel') {
    record['trace.id'] ??= traceId
    record['span.id'] ??= spanId
    if (transactionId !== undefined) record['transaction.id'] ??= transactionId
  }
}
