export { measureHere } from './measure.js'
export { measureRuntime } from './runtime-metrics.js'
