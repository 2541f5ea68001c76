import { now, unixNano } from '../core/clock.js'
import type { NumberPoint, SumMetric } from '../otlp/metrics-types.js'
import type { Accounts, Stage } from '../ring/accounts.js'
import type { Signal } from '../ring/reader.js'

/** What the semantic conventions call them. The collector is what they call a processor, a queue in front of an exporter. */
const NAMES = {
  spans: { processor: 'batching_span_processor', metric: 'span', unit: '{span}', plural: 'spans' },
  logs: {
    processor: 'batching_log_processor',
    metric: 'log',
    unit: '{log_record}',
    plural: 'log records',
  },
}

type Count = [value: number, errorType?: string]

/**
 * The accounts as OpenTelemetry's semantic conventions (1.45, "SDK metrics") name them. What they tell together is exact:
 *
 *     made = all of processed + queue.size
 *     processed without error.type = all of exported + inflight
 *
 * @param exporter The `otel.component.type` of what exports.
 */
export function accountMetrics(accounts: Accounts, exporter: string, signal: Signal = 'spans'): SumMetric[] {
  const { processor, metric: what, unit, plural } = NAMES[signal]
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
    return { name: `otel.sdk.${name}`, description, unit, data }
  }
  // The conventions prescribe `queue_full`, and write all of their values so.
  const failures = (stage: Stage): Count[] =>
    [...accounts.givenUp(stage)].map(([cause, count]) => [count, cause.replaceAll('-', '_')])
  return [
    metric(
      `processor.${what}.processed`,
      `The number of ${plural} for which the processing has finished, either successful or failed.`,
      processor,
      [[accounts.submitted], ...failures('queue')],
      true,
    ),
    metric(
      `processor.${what}.queue.size`,
      `The number of ${plural} in the queue of a given instance of an SDK ${what} processor.`,
      processor,
      [[accounts.queued]],
      false,
    ),
    metric(
      `exporter.${what}.exported`,
      `The number of ${plural} for which the export has finished, either successful or failed.`,
      exporter,
      [[accounts.delivered], ...failures('exporter')],
      true,
    ),
    metric(
      `exporter.${what}.inflight`,
      `The number of ${plural} which were passed to the exporter, but that have not been exported yet (neither successful, nor failed).`,
      exporter,
      [[accounts.inFlight]],
      false,
    ),
  ]
}
