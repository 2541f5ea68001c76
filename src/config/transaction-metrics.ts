import type { Variables } from './variables.js'

const METRICS = ['cpu', 'rss', 'heap', 'modules', 'loop'] as const

/** What is measured of each transaction. */
export type TransactionMetric = (typeof METRICS)[number]

/** `THREADSPAN_TRANSACTION_METRICS`: none unless it is told. */
export function transactionMetrics(variables: Variables): readonly TransactionMetric[] {
  return variables.words('THREADSPAN_TRANSACTION_METRICS', METRICS, 'it is left out') ?? []
}
