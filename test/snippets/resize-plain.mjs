// #region wrong
import { trace } from '@opentelemetry/api'

export default (file) =>
  trace.getTracer('app').startActiveSpan('resize', (span) => {
    span.end() // of a provider that nobody has registered in this thread
    return `small ${file}`
  })
// #endregion
