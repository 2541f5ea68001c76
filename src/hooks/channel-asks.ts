import diagnostics from 'node:diagnostics_channel'
import { shared } from '../core/shared.js'
import type { Disable } from './channels.js'
import { replaceMethod } from './replace-method.js'

type Ask = (this: unknown, ...args: unknown[]) => unknown

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
  const undo = [watchFunction('channel', ''), watchFunction('tracingChannel', 'tracing:')]
  return () => {
    for (const fn of undo) fn()
  }
}

/** @param prefix what the name of a channel begins with beyond the name that is asked for. */
function watchFunction(key: 'channel' | 'tracingChannel', prefix: string): Disable {
  // The object that `require` gives to everybody, Node's own modules among them.
  const exports = diagnostics as unknown as Record<typeof key, Ask>
  const original = replaceMethod<Ask>(
    exports,
    key,
    (original) =>
      function (this: unknown, ...args) {
        const [name] = args
        if (typeof name === 'string')
          for (const { matches, asked } of asks.listeners) if (matches(prefix + name)) asked(prefix + name)
        return Reflect.apply(original, this, args)
      },
  )
  const instead = exports[key]
  return () => {
    // Whoever put a function of theirs over it goes on calling it, and it calls on.
    if (exports[key] === instead) exports[key] = original
  }
}
