/**
 * What is current, for the package's own code on hot paths. OpenTelemetry's API answers the same, but looks the registry up twice for each
 * question and compares versions; here it is looked up once, and asked whether the manager in it is ours.
 */
import { type Context, type ContextManager, context as contextApi } from '@opentelemetry/api'
import { API_KEY } from '../core/api-key.js'
import { shared } from '../core/shared.js'
import type { ThreadContextManager } from './manager.js'

type Holder = { [API_KEY]?: { readonly context?: ContextManager } }

/** Of whichever copy of this package has registered one. */
const own = shared('context.own', () => ({ manager: undefined as ThreadContextManager | undefined }))

/** `manager` is ours, and asked directly for as long as it is the registered one. */
export function askDirectly(manager: ThreadContextManager): void {
  own.manager = manager
}

function ownManager(): ThreadContextManager | undefined {
  const { manager } = own
  return manager !== undefined && (globalThis as Holder)[API_KEY]?.context === manager ? manager : undefined
}

/** What `context.active()` gives. */
export function activeContext(): Context {
  const manager = ownManager()
  return manager === undefined ? contextApi.active() : manager.active()
}

/** What `context.with(context, fn, undefined, argument)` does. */
export function callIn<A, R>(context: Context, fn: (argument: A) => R, argument: A): R {
  const manager = ownManager()
  return manager === undefined
    ? contextApi.with(context, fn as (argument: A) => ReturnType<typeof fn>, undefined, argument)
    : manager.call(context, fn, argument)
}

/** What `context.with(context, fn, thisArg, ...args)` does. */
export function applyIn<A extends unknown[], R>(
  context: Context,
  fn: (...args: A) => R,
  thisArg: unknown,
  args: A,
): R {
  const manager = ownManager()
  return manager === undefined
    ? contextApi.with(context, fn as (...args: A) => ReturnType<typeof fn>, thisArg as never, ...args)
    : manager.apply(context, fn, thisArg, args)
}
