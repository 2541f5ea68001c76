import { HAS_LISTENER, LISTENER_ADDED, SIGNALS, SIGNALS_AT, WAS_HEARD } from './layout.js'

/** A listener is about to be `added`; it is about to be told of a signal that was `heard`; the last one was `removed`. */
export type ListenerChange = 'added' | 'heard' | 'removed'

/**
 * Notes in the control block whether the program listens to a signal: what it listens to is its own, and the telemetry thread does nothing.
 * @returns Whether the telemetry thread has to look.
 */
export function noteListener(control: Int32Array, signal: string, change: ListenerChange): boolean {
  const i = (SIGNALS as readonly string[]).indexOf(signal)
  if (i < 0) return false
  const at = SIGNALS_AT + i
  if (change === 'heard') Atomics.or(control, at, WAS_HEARD)
  else if (change === 'removed') Atomics.and(control, at, ~HAS_LISTENER)
  else Atomics.store(control, at, (Atomics.load(control, at) + LISTENER_ADDED) | HAS_LISTENER)
  return change !== 'heard'
}
