import { ROOT_CONTEXT } from '@opentelemetry/api'
import { activeContext, applyIn } from '../context/current.js'
import { capture } from '../context/snapshot.js'
import { registrations } from '../context/values.js'

type Listener = (this: unknown, ...args: unknown[]) => unknown

/** `listener` in what is current; undefined where nothing is. */
export function inCurrent(listener: Listener): Listener | undefined {
  if (registrations().length > 0) return capture().wrap(listener as never)
  const context = activeContext()
  if (context === ROOT_CONTEXT) return undefined
  return function (this: unknown, ...args: unknown[]): unknown {
    return applyIn(context, listener, this, args)
  }
}
