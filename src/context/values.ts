import { AsyncLocalStorage } from 'node:async_hooks'
import { count } from '../core/counters.js'
import { ThreadspanError } from '../core/errors.js'
import { shared } from '../core/shared.js'
import { type PlainForm, toPlain } from './plain.js'

/** How the value of an AsyncLocalStorage travels. */
export interface ValueOptions<T> {
  /** Under which it is found again on the other side: 1 to 128 characters, the same in every thread and process. */
  readonly name: string
  /** What travels in its place: JSON, or what structured clone takes where it stays inside the process. Without it, the value itself. */
  readonly serialize?: (value: T) => unknown
  /** Makes the value again from what travelled; undefined for none. Without it, what travelled is the value. */
  readonly deserialize?: (plain: unknown) => T | undefined
}

/** An AsyncLocalStorage that travels along. */
export interface Registration {
  readonly storage: AsyncLocalStorage<unknown>
  readonly name: string
  readonly serialize: ((value: unknown) => unknown) | undefined
  readonly deserialize: ((plain: unknown) => unknown) | undefined
  /** What the storage holds where nothing is: its `defaultValue`, or undefined. */
  readonly none: unknown
}

/** Calls a function as outside of everything: what was current when this was loaded, which is the start of a thread. */
const outside: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot()

/** Values that may be registered in one thread: each is asked for its content at every capture. */
const MAX_REGISTRATIONS = 32

const registry = shared('context.values', () => ({ list: [] as readonly Registration[] }))

/** The AsyncLocalStorages that travel along. Another array after each change, so that who holds one sees no change. */
export function registrations(): readonly Registration[] {
  return registry.list
}

/**
 * Lets the value of an AsyncLocalStorage travel with every Snapshot: by reference within the thread, as plain data to others.
 *
 * A value that cannot travel is left out and counted (`value.*`); the work itself goes on. To be called in every thread
 * that is to see the value, before or after the work arrived there.
 *
 * @returns ends the registration; also for `using`, in tests.
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT`, `THREADSPAN_VALUE_NAME`, `THREADSPAN_VALUE_NAME_TAKEN` (by another storage), `THREADSPAN_VALUE_LIMIT` (32).
 */
export function propagate<T>(
  storage: AsyncLocalStorage<T>,
  options: ValueOptions<T>,
): (() => void) & Disposable {
  if (typeof storage?.run !== 'function' || typeof storage.getStore !== 'function') {
    throw new ThreadspanError(
      'THREADSPAN_INVALID_ARGUMENT',
      'propagate() takes an AsyncLocalStorage and { name }',
    )
  }
  const { name, serialize, deserialize } = options ?? {}
  if (typeof name !== 'string' || name === '' || name.length > 128 || name === '__proto__') {
    throw new ThreadspanError(
      'THREADSPAN_VALUE_NAME',
      'The name of a value must be a string of 1 to 128 characters, and not __proto__',
    )
  }
  const none = outside(() => storage.getStore())
  const registration = { storage, name, serialize, deserialize, none } as unknown as Registration
  const others = registry.list.filter((other) => other.storage !== storage || other.name !== name)
  if (others.some((other) => other.name === name)) {
    throw new ThreadspanError(
      'THREADSPAN_VALUE_NAME_TAKEN',
      `Another AsyncLocalStorage is registered as "${name}"`,
    )
  }
  if (others.length >= MAX_REGISTRATIONS) {
    throw new ThreadspanError(
      'THREADSPAN_VALUE_LIMIT',
      `No more than ${MAX_REGISTRATIONS} values can travel along`,
    )
  }
  registry.list = [...others, registration]
  const end = (): void => {
    registry.list = registry.list.filter((other) => other !== registration)
  }
  return Object.assign(end, { [Symbol.dispose]: end })
}

/** The plain form of a value; undefined, and counted, where it has none. */
export function packValue(registration: Registration, value: unknown, form: PlainForm): unknown {
  let plain = value
  if (registration.serialize !== undefined) {
    try {
      plain = registration.serialize(value)
    } catch {
      count('value.serialize')
      return undefined
    }
    if (plain === undefined) return undefined
  }
  return toPlain(plain, form)
}

/** The value that a plain form stands for; undefined, and counted, where `deserialize` fails. */
export function unpackValue(registration: Registration, plain: unknown): unknown {
  if (registration.deserialize === undefined) return plain
  try {
    return registration.deserialize(plain)
  } catch {
    count('value.deserialize')
    return undefined
  }
}
