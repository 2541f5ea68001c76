/**
 * Puts a function in the place of another as a property of `holder`: same name, length, enumerability.
 * @throws TypeError if the property cannot be changed.
 */
export function replace<F extends (...args: never[]) => unknown>(holder: object, key: string, by: F): void {
  const descriptor = Object.getOwnPropertyDescriptor(holder, key)!
  imitate(by, descriptor.value as F)
  Object.defineProperty(holder, key, { ...descriptor, value: by })
}

/** Gives a function the name and length of the one it stands for. */
export function imitate<F extends (...args: never[]) => unknown>(
  fn: F,
  original: (...args: never[]) => unknown,
): F {
  Object.defineProperty(fn, 'name', { value: original.name, configurable: true })
  Object.defineProperty(fn, 'length', { value: original.length, configurable: true })
  return fn
}
