import diagnostics from 'node:diagnostics_channel'
import { shared } from '../core/shared.js'
import type { Disable } from './channels.js'
import { replaceMethod } from './replace-method.js'

type Channel = typeof diagnostics.channel

interface Listener {
  matches(name: string): boolean
  asked(name: string): void
}

/** Of whichever copy of this code in the thread. */
const asks = shared('hooks.asks', () => ({
  listeners: new Set<Listener>(),
  restore: undefined as Disable | undefined,
}))

/**
 * Tells when somebody asks `diagnostics_channel` for one of some channels, before he has it. Node's own modules do that once, as they are
 * loaded, whoever loads them and by whatever way: so this tells of the load of a module without loading it, and which version of it this is.
 *
 * A listener that adds another one has that one told of the same channel. The function is put back when nobody waits any more.
 *
 * @param asked must not throw, nor write to `process.stdout`: Node asks for channels while it makes that.
 */
export function onChannelAsked(matches: (name: string) => boolean, asked: (name: string) => void): Disable {
  const { listeners } = asks
  const listener: Listener = { matches, asked }
  listeners.add(listener)
  asks.restore ??= watch()
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return
    asks.restore?.()
    asks.restore = undefined
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
        const [name] = args
        if (typeof name === 'string')
          for (const { matches, asked } of asks.listeners) if (matches(name)) asked(name)
        return Reflect.apply(original, this, args)
      },
  )
  const { channel } = exports
  return () => {
    // Whoever put a function of theirs over it goes on calling it, and it calls on.
    if (exports.channel === channel) exports.channel = original
  }
}
