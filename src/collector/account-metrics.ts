import { now, unixNano } from '../core/clock.js'
import type { NumberPoint, SumMetric } from '../otlp/metrics-types.js'
import type { Accounts, Stage } from '../ring/accounts.js'

/** Semantic conventions: the collector is what they call so, a queue in front of an exporter. */
const PROCESSOR = 'batching_span_processor'

type Count = [value: number, errorType?: string]

/**
 * The accounts as OpenTelemetry's semantic conventions (1.45, "SDK metrics") name them. What they tell together is exact:
 *
 *     made = all of processed + queue.size
 *     processed without error.type = all of exported + inflight
 *
 * @param exporter The `otel.component.type` of what exports.
 */
export function accountMetrics(accounts: Accounts, exporter: string): SumMetric[] {
  const startTimeUnixNano = accounts.since
  const timeUnixNano = unixNano(now())
  const metric = (
    name: string,
    description: string,
    component: string,
    counts: Count[],
    monotonic: boolean,
  ): SumMetric => {
    const points = counts.map(([value, errorType]): NumberPoint => {
      const attributes = { 'otel.component.type': component, 'otel.component.name': `${component}/0` }
      const failed = errorType === undefined ? {} : { 'error.type': errorType }
      return { attributes: { ...attributes, ...failed }, startTimeUnixNano, timeUnixNano, flags: 0, value }
    })
    const data = { kind: 'sum' as const, points, temporality: 2 as const, monotonic }
    return { name: `otel.sdk.${name}`, description, unit: '{span}', data }
  }
  // The conventions prescribe `queue_full`, and write all of their values so.
  const failures = (stage: Stage): Count[] =>
    [...accounts.givenUp(stage)].map(([cause, count]) => [count, cause.replaceAll('-', '_')])
  return [
    metric(
      'processor.span.processed',
      'The number of spans for which the processing has finished, either successful or failed.',
      PROCESSOR,
      [[accounts.submitted], ...failures('queue')],
      true,
    ),
    metric(
      'processor.span.queue.size',
      'The number of spans in the queue of a given instance of an SDK span processor.',
      PROCESSOR,
      [[accounts.queued]],
      false,
    ),
    metric(
      'exporter.span.exported',
      'The number of spans for which the export has finished, either successful or failed.',
      exporter,
      [[accounts.delivered], ...failures('exporter')],
      true,
    ),
    metric(
      'exporter.span.inflight',
      'The number of spans which were passed to the exporter, but that have not been exported yet (neither successful, nor failed).',
      exporter,
      [[accounts.inFlight]],
      false,
    ),
  ]
}
