/** What a thread loads with its first deadline. Bundled into one file. */
import type { ContextAPI } from '@opentelemetry/api'
import type { Deadlines } from '../context/deadline.js'
import { useApi } from '../context/deadlines/contexts.js'
import { implementation } from '../context/deadlines/deadlines.js'
import { abortCalls } from '../instrumentation/abort-calls.js'

/** Once for a thread. @param api The caller's copy of OpenTelemetry's API. */
export function start(api: ContextAPI): Deadlines {
  useApi(api)
  abortCalls()
  return implementation
}
