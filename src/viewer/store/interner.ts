/**
 * Numbers for things that many spans share (names, threads, scopes), given back when the last span that uses one is
 * gone: a sender with ever new names must not fill the memory.
 */
export class Interner<T> {
  readonly #ids = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #values: (T | undefined)[] = []
  readonly #references: number[] = []
  readonly #free: number[] = []

  /** How many are in use. */
  get size(): number {
    return this.#ids.size
  }

  /** The number for `key`, with one more reference to it; `make` is called for a key that is new. */
  intern(key: string, make: () => T): number {
    const known = this.#ids.get(key)
    if (known !== undefined) {
      this.#references[known]!++
      return known
    }
    const id = this.#free.pop() ?? this.#keys.length
    this.#values[id] = make()
    this.#keys[id] = key
    this.#references[id] = 1
    this.#ids.set(key, id)
    return id
  }

  retain(id: number): void {
    this.#references[id]!++
  }

  /** Gives one reference back. Answers the value when that was the last one. */
  release(id: number): T | undefined {
    if (--this.#references[id]! > 0) return undefined
    const value = this.#values[id]
    this.#ids.delete(this.#keys[id]!)
    this.#keys[id] = ''
    this.#values[id] = undefined
    this.#free.push(id)
    return value
  }

  /** All values in use. */
  *values(): Generator<T> {
    for (const id of this.#ids.values()) yield this.#values[id] as T
  }

  value(id: number): T {
    return this.#values[id] as T
  }
}
