import * as diagnostics from 'node:diagnostics_channel'
import { count } from '../core/counters.js'
import { debug } from '../core/log.js'
/**
 * Runs what watches the application, so that a mistake in it stays its own: Node ends the process over an error that a
 * subscriber of a channel throws.
 */
export function guard(what, fn) {
  return (...args) => {
    try {
      fn(...args)
    } catch (error) {
      count('instrumentation.failed')
      debug('%s: %o', what, error)
    }
  }
}
/**
 * Subscribes to channels of `node:diagnostics_channel`. A channel needs no publisher: the module that publishes on it is not
 * loaded by this, and is seen however the application loads it, as CommonJS or as ES module.
 */
export function subscribe(listeners) {
  const subscribed = []
  for (const [name, listener] of Object.entries(listeners)) {
    const guarded = guard(name, listener)
    diagnostics.subscribe(name, guarded)
    subscribed.push([name, guarded])
  }
  return () => {
    for (const [name, listener] of subscribed.splice(0)) diagnostics.unsubscribe(name, listener)
  }
}
