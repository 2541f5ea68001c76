/** Any method, getter or setter. */
export type AnyMethod = (this: unknown, ...args: unknown[]) => unknown

/** The two functions of `reflect-metadata` that are used here, where the application has loaded it. */
interface ReflectMetadata {
  getOwnMetadataKeys?(target: object): unknown[]
  getOwnMetadata?(key: unknown, target: object): unknown
  defineMetadata?(key: unknown, value: unknown, target: object): void
}

/**
 * Gives `fn` what the function that it stands for has: name, length, own properties, and the metadata that frameworks (NestJS,
 * TypeORM) have put on it by decorators that ran before.
 */
export function imitate<F extends AnyMethod>(fn: F, original: AnyMethod): F {
  for (const key of Reflect.ownKeys(original)) {
    if (key === 'prototype' || key === 'arguments' || key === 'caller') continue
    const descriptor = Object.getOwnPropertyDescriptor(original, key)!
    Object.defineProperty(fn, key, { ...descriptor, configurable: true })
  }
  const metadata = Reflect as ReflectMetadata
  if (typeof metadata.getOwnMetadataKeys === 'function') {
    for (const key of metadata.getOwnMetadataKeys(original)) {
      metadata.defineMetadata?.(key, metadata.getOwnMetadata?.(key, original), fn)
    }
  }
  return fn
}

/** What the plainest function has of its own. `arguments` and `caller` are those of sloppy functions. */
const STANDARD: ReadonlySet<PropertyKey> = new Set(['length', 'name', 'prototype', 'arguments', 'caller'])

/**
 * Gives `fn` the length, name, prototype and own properties of the function that it stands for. It is {@link imitate} for functions that are
 * made often: the metadata of decorators is left out.
 */
export function resemble(fn: object, original: object): void {
  const { length, name, prototype } = original as { length: unknown; name: unknown; prototype?: unknown }
  if (length !== 0) Object.defineProperty(fn, 'length', { value: length, configurable: true })
  Object.defineProperty(fn, 'name', { value: name, configurable: true })
  if (prototype !== undefined) (fn as { prototype: unknown }).prototype = prototype
  for (const key of Reflect.ownKeys(original)) {
    if (STANDARD.has(key)) continue
    const descriptor = Object.getOwnPropertyDescriptor(original, key)!
    Object.defineProperty(fn, key, { ...descriptor, configurable: true })
  }
}
