import { type Context, context as contextApi, ROOT_CONTEXT } from '@opentelemetry/api'
import { capture } from './snapshot.js'
import { registrations } from './values.js'

type Listener = (this: unknown, ...args: unknown[]) => unknown

/** `listener` in what is current; undefined where nothing is. */
export function inCurrent(listener: Listener): Listener | undefined {
  const context = contextApi.active()
  return context === ROOT_CONTEXT && registrations().length === 0 ? undefined : bound(listener, context)
}

/** `listener` in what is current, and in nothing where nothing is. */
export function inCurrentOrNone(listener: Listener): Listener {
  return bound(listener, contextApi.active())
}

function bound(listener: Listener, context: Context): Listener {
  if (registrations().length > 0) return capture().wrap(listener as never)
  return function (this: unknown, ...args: unknown[]): unknown {
    return contextApi.active() === context
      ? listener.apply(this, args)
      : contextApi.with(context, listener, this, ...args)
  }
}
