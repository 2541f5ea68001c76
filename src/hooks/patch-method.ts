/** A method of some library's class. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

const patched = new WeakMap<object, Set<string>>()

/**
 * Puts a method in the place of one that `holder` has itself: same name, length and enumerability. Does nothing where there is none, or where it
 * was done before.
 *
 * @param purpose tells apart what may each be put around the same method once.
 */
export function patchMethod(
  holder: object,
  name: string,
  make: (original: Method) => Method,
  purpose = 'context',
): void {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name)
  const original: unknown = descriptor?.value
  if (typeof original !== 'function') return
  const names = patched.get(holder) ?? new Set()
  const key = `${purpose} ${name}`
  if (names.has(key)) return
  patched.set(holder, names)
  names.add(key)
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

/** The object, of those that `object` inherits from, that has a property itself; undefined where none has. */
export function holderOf(object: object, name: string): object | undefined {
  let holder: object | null = object
  while (holder !== null && !Object.hasOwn(holder, name))
    holder = Object.getPrototypeOf(holder) as object | null
  return holder ?? undefined
}
