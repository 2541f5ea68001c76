import { MAX_INTEGER, type Variables } from './variables.js'

/** `OTEL_BSP_*` and `OTEL_BLRP_*`: when spans or log records are exported, and how many are kept for it. */
export interface BatchConfig {
  /** Milliseconds between two exports. */
  readonly scheduleDelay: number
  /** Milliseconds that an export may take. */
  readonly exportTimeout: number
  /** How many one export takes at most; undefined when it is not set. */
  readonly maxExportBatchSize: number | undefined
  /** How many wait for export at most; undefined when it is not set. */
  readonly maxQueueSize: number | undefined
}

/** A fifth of the specification's for spans: what waits is what a killed process loses. */
const DELAY = 1000
const TIMEOUT = 30_000

/** @param processor As the specification names it in the variables. */
export function batchConfig(variables: Variables, processor: 'BSP' | 'BLRP'): BatchConfig {
  const name = (what: string): string => `OTEL_${processor}_${what}`
  const maxQueueSize = variables.integer(name('MAX_QUEUE_SIZE'), 'the default', 1)
  let maxExportBatchSize = variables.integer(name('MAX_EXPORT_BATCH_SIZE'), 'the default', 1)
  if ((maxExportBatchSize ?? 0) > (maxQueueSize ?? MAX_INTEGER)) {
    variables.invalid(name('MAX_EXPORT_BATCH_SIZE'), `it is larger than the queue; ${maxQueueSize} is used`)
    maxExportBatchSize = maxQueueSize
  }
  return {
    scheduleDelay: variables.integer(name('SCHEDULE_DELAY'), DELAY) ?? DELAY,
    exportTimeout: variables.timeout(name('EXPORT_TIMEOUT'), TIMEOUT) ?? TIMEOUT,
    maxExportBatchSize,
    maxQueueSize,
  }
}
