import { type Context, type ContextAPI, ROOT_CONTEXT } from '@opentelemetry/api'

let api: ContextAPI

/**
 * Sets whose contexts these are: those of the copy of OpenTelemetry's API that the caller has. The one that is bundled here cannot see what an
 * older one has registered.
 */
export function useApi(given: ContextAPI): void {
  api = given
}

/** What is current. */
export function activeContext(): Context {
  return api.active()
}

export function inContext<T>(context: Context, fn: () => T): T {
  return api.with(context, fn as () => ReturnType<typeof fn>) as T
}

/** Calls `fn` outside of the context in which that happens to be asked for, which timers and promises would hold on to. */
export function outside<T>(fn: () => T): T {
  return inContext(ROOT_CONTEXT, fn)
}
