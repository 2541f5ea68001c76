export { measureHere } from './measure.js'
export { measureRuntime } from './runtime-metrics.js'
export { measureDurations } from './span-durations.js'
export { probeTransactions } from './transaction-metrics.js'
