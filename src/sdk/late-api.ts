/** Where API 1.x keeps what is registered. */
export const API_KEY = Symbol.for('opentelemetry.js.api.1')

type Holder = { [API_KEY]?: unknown }

/** The files of a copy of the API, which Node programs load as CommonJS, wherever a package manager puts it. */
export const API_FILE = /[\\/]@opentelemetry[\\/]api[\\/](?:build|dist)[\\/]/

/** Whether something is registered with OpenTelemetry's API, or a copy of it was loaded: tracers of that do not look again. */
export function isApiUsed(): boolean {
  if (Object.hasOwn(globalThis, API_KEY)) return true
  const { _cache: cache } = process.getBuiltinModule('node:module') as unknown as { _cache?: object }
  for (const file in cache) if (API_FILE.test(file)) return true
  return false
}

/**
 * Calls `begin` when a copy of OpenTelemetry's API looks for what is registered, or is about to register something, for the first time:
 * by then `begin` shall have registered what it has.
 *
 * @returns ends it, and leaves nothing.
 */
export function whenApiIsUsed(begin: () => void): () => void {
  const holder = globalThis as Holder
  const get = (): unknown => {
    begin()
    return holder[API_KEY]
  }
  const set = (value: unknown): void => {
    begin()
    holder[API_KEY] = value
  }
  Object.defineProperty(holder, API_KEY, { get, set, enumerable: true, configurable: true })
  return () => {
    if (Object.getOwnPropertyDescriptor(holder, API_KEY)?.get === get) delete holder[API_KEY]
  }
}
