import * as diagnostics from 'node:diagnostics_channel'
import { count } from '../core/counters.js'
import { debug } from '../core/log.js'

/** Undoes what a function of this folder set up. Calling it again does nothing. */
export type Disable = () => void

/**
 * Runs what watches the application, so that a mistake in it stays its own: Node ends the process over an error that a
 * subscriber of a channel throws.
 */
export function guard<A, B>(what: string, fn: (a: A, b: B) => void): (a: A, b?: B) => void {
  return (a, b) => {
    try {
      fn(a, b as B)
    } catch (error) {
      count('instrumentation.failed')
      debug('%s: %o', what, error)
    }
  }
}

/** Listeners by the name of the channel they listen to. `never`: each knows the message of its own channel. */
export type Listeners = Readonly<Record<string, (message: never) => void>>

/**
 * Subscribes to channels of `node:diagnostics_channel`. A channel needs no publisher: the module that publishes on it is not
 * loaded by this, and is seen however the application loads it, as CommonJS or as ES module.
 */
export function subscribe(listeners: Listeners): Disable {
  const subscribed: [string, diagnostics.ChannelListener][] = []
  for (const [name, listener] of Object.entries(listeners)) {
    const guarded = guard(name, listener) as (message: unknown) => void
    diagnostics.subscribe(name, guarded)
    subscribed.push([name, guarded])
  }
  return () => {
    for (const [name, listener] of subscribed.splice(0)) diagnostics.unsubscribe(name, listener)
  }
}
