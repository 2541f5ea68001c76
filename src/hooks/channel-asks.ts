import diagnostics from 'node:diagnostics_channel'
import type { Disable } from './channels.js'
import { replaceMethod } from './replace-method.js'

type Channel = typeof diagnostics.channel

/** Called when a module asks for a channel, before it has it. */
export type OnAsk = (name: string) => void

const listeners = new Map<unknown, OnAsk>()
let restore: Disable | undefined

/**
 * Tells when somebody asks `diagnostics_channel` for one of some channels. Node's own modules do that once, as they are loaded, whoever loads
 * them and by whatever way: so this tells of the load of a module without loading it, and which version of it this is.
 *
 * The function is put back when nobody waits any more. `listener` must not throw.
 */
export function onChannelAsked(names: readonly string[], listener: OnAsk): Disable {
  for (const name of names) listeners.set(name, listener)
  restore ??= watch()
  return () => {
    for (const name of names) if (listeners.get(name) === listener) listeners.delete(name)
    if (listeners.size > 0) return
    restore?.()
    restore = undefined
  }
}

function watch(): Disable {
  // The object that `require` gives to everybody, Node's own modules among them.
  const exports = diagnostics as { channel: Channel }
  const original = replaceMethod<Channel>(
    exports,
    'channel',
    (original) =>
      function channel(this: unknown, ...args) {
        listeners.get(args[0])?.(args[0] as string)
        return Reflect.apply(original, this, args)
      },
  )
  const { channel } = exports
  return () => {
    // Whoever put a function of theirs over it goes on calling it, and it calls on.
    if (exports.channel === channel) exports.channel = original
  }
}
