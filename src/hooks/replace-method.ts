type Callable = (this: never, ...args: never[]) => unknown

/**
 * Puts a function in place of a method. Name, length, own properties and the property's attributes stay; it is a plain function
 * and no Proxy, which Node 26 tells when it prints one.
 *
 * @param make gets the method and returns what stands for it.
 * @returns the method that was there.
 */
export function replaceMethod<F extends Callable>(target: object, name: string, make: (original: F) => F): F {
  const descriptor = Object.getOwnPropertyDescriptor(target, name) ?? {
    configurable: true,
    enumerable: true,
    writable: true,
  }
  const original = (target as Record<string, F>)[name]!
  const replacement = make(original)
  for (const key of Reflect.ownKeys(original)) {
    const property = Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor
    if (key !== 'prototype') Object.defineProperty(replacement, key, property)
  }
  Object.defineProperty(target, name, { ...descriptor, value: replacement })
  return original
}
