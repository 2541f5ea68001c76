import { type Context, ROOT_CONTEXT } from '@opentelemetry/api'
import { activeContext, applyIn } from './current.js'
import { capture } from './snapshot.js'
import { registrations } from './values.js'

type Listener = (this: unknown, ...args: unknown[]) => unknown

/** `listener` in what is current; undefined where nothing is. */
export function inCurrent(listener: Listener): Listener | undefined {
  const context = activeContext()
  return context === ROOT_CONTEXT && registrations().length === 0 ? undefined : bound(listener, context)
}

/** `listener` in what is current, and in nothing where nothing is. */
export function inCurrentOrNone(listener: Listener): Listener {
  return bound(listener, activeContext())
}

function bound(listener: Listener, context: Context): Listener {
  if (registrations().length > 0) return capture().wrap(listener as never)
  return function (this: unknown, ...args: unknown[]): unknown {
    return applyIn(context, listener, this, args)
  }
}
