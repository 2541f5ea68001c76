/** What has to be one per thread although this package may be loaded twice: as the preload's bundle and as the modules that the application imports. */
const KEY = Symbol.for('threadspan.shared.0')

/** Source text that gives what is shared by a name, where it has been made. */
export function sharedInSource(name: string): string {
  return `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(KEY))})].get(${JSON.stringify(name)})`
}

/**
 * The thread's one instance of something, made at the first call.
 *
 * @param name the same in every copy of this package.
 */
export function shared<T extends object>(name: string, make: () => T): T {
  const holder = globalThis as { [KEY]?: Map<string, object> }
  let instances = holder[KEY]
  if (instances === undefined) {
    instances = new Map()
    Object.defineProperty(holder, KEY, { value: instances })
  }
  let instance = instances.get(name) as T | undefined
  if (instance === undefined) {
    instance = make()
    instances.set(name, instance)
  }
  return instance
}
