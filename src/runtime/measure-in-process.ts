import type { TracingConfig } from '../config/tracing.js'
import { ABOVE, BY_NAME, MEASURES, SURFACES } from '../ring/layout.js'
import { LISTENED } from './measured-above.js'
import type { ThreadRelay } from './thread-relay.js'

/** Lets all threads of the process measure, and tell each value to surfacers, as its environment says. */
export function measureInProcess(relay: ThreadRelay, { measures, surfaces }: TracingConfig, above = 0): void {
  const { control } = relay
  if (measures || surfaces || above !== 0) Atomics.store(control, MEASURES, 1)
  if (surfaces) Atomics.or(control, SURFACES, BY_NAME)
  if ((above & LISTENED) !== 0) Atomics.or(control, SURFACES, ABOVE)
}
