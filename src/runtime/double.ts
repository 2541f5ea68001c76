/** What makes spans in this thread beside an instrumentation of OpenTelemetry's that the application has registered. */
import { debug, warnOnce } from '../core/log.js'
import { shared } from '../core/shared.js'
import { guarded } from '../hooks/guarded.js'
import { whenInstrumented } from './runtime.js'

const state = shared('runtime.double', () => ({
  /** Names of the instrumentations that make spans in this thread. */
  followed: new Set<string>(),
  /** Ends one of them. */
  leave: undefined as ((name: string) => void) | undefined,
}))

/** More instrumentations make spans in this thread from now on. `leave` ends one of them. */
export function noteFollowed(names: readonly string[], leave: (name: string) => void): void {
  for (const name of names) state.followed.add(name)
  state.leave = leave
  whenInstrumented(warnOfDouble)
}

/** None does. */
export function forgetFollowed(): void {
  state.followed.clear()
}

/** Those that cannot end with requests under way: their spans hold what is active. */
const STAYING: ReadonlySet<string> = new Set(['http', 'undici'])

/** A package that the application has registered makes the spans that an instrumentation of ours makes. */
function warnOfDouble(name: string): void {
  if (!state.followed.has(name)) return
  if (!STAYING.has(name)) {
    debug(
      '@opentelemetry/instrumentation-%s is registered beside threadspan, which leaves these spans to it',
      name,
    )
    state.followed.delete(name)
    guarded(`leave ${name}`, () => state.leave?.(name))
    return
  }
  warnOnce(
    'THREADSPAN_TWO_AGENTS',
    `@opentelemetry/instrumentation-${name} is registered beside threadspan, and each request gets two spans: leave that out, or set OTEL_NODE_DISABLED_INSTRUMENTATIONS=${name}`,
  )
}
