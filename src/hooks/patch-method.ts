/** A method of some library's class. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

const patched = new WeakMap<object, Set<string>>()

/**
 * Puts a method in the place of one that `holder` has itself: same name, length and enumerability. Does nothing where there is none, or where it
 * was done before.
 */
export function patchMethod(holder: object, name: string, make: (original: Method) => Method): void {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name)
  const original: unknown = descriptor?.value
  if (typeof original !== 'function') return
  const names = patched.get(holder) ?? new Set()
  if (names.has(name)) return
  patched.set(holder, names)
  names.add(name)
  const method = make(original as Method)
  Object.defineProperty(method, 'name', { value: original.name, configurable: true })
  Object.defineProperty(method, 'length', { value: original.length, configurable: true })
  Object.defineProperty(holder, name, { ...descriptor, value: method })
}

/** The prototype of a class that a file exports; undefined for anything else. */
export function prototypeOf(exports: unknown): object | undefined {
  if (typeof exports !== 'function') return undefined
  const { prototype } = exports as { prototype?: unknown }
  return typeof prototype === 'object' && prototype !== null ? prototype : undefined
}
