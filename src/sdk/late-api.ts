/** Where API 1.x keeps what is registered. */
const KEY = Symbol.for('opentelemetry.js.api.1')

type Holder = { [KEY]?: unknown }

/** Whether something is registered with OpenTelemetry's API. */
export function isApiUsed(): boolean {
  return Object.hasOwn(globalThis, KEY)
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
    return holder[KEY]
  }
  const set = (value: unknown): void => {
    begin()
    holder[KEY] = value
  }
  Object.defineProperty(holder, KEY, { get, set, enumerable: true, configurable: true })
  return () => {
    if (Object.getOwnPropertyDescriptor(holder, KEY)?.get === get) delete holder[KEY]
  }
}
