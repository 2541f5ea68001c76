import { API_KEY } from '../core/api-key.js'

/** Where `@opentelemetry/api-logs` does: a function that gives the LoggerProvider to who asks by a version. */
export const LOGS_KEY = Symbol.for('io.opentelemetry.js.api.logs')

type Holder = { [key: symbol]: unknown }

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
 * @param key where that copy looks.
 * @returns ends it, and leaves nothing.
 */
export function whenApiIsUsed(begin: () => void, key = API_KEY): () => void {
  const holder = globalThis as Holder
  const get = (): unknown => {
    begin()
    return holder[key]
  }
  const set = (value: unknown): void => {
    begin()
    holder[key] = value
  }
  Object.defineProperty(holder, key, { get, set, enumerable: true, configurable: true })
  return () => {
    if (Object.getOwnPropertyDescriptor(holder, key)?.get === get) delete holder[key]
  }
}
