import type { AnyMethod } from '../hooks/imitate.js'
import type { Place } from './apply.js'

/**
 * What a decorated method is called where nobody gave a name: `Orders.load`, of the class that declares it, not of a subclass.
 *
 * TC39 decorators are not told their class: it is found at the first call, above the receiver. A private method is not found
 * there, and goes by the receiver's class.
 */
export class DefaultName {
  #name: string | undefined
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
    const { holder, isStatic } = place
    if (holder !== undefined) this.#name = this.#join((isStatic ? holder : holder.constructor) as () => void)
  }

  /** @param method what stands in the class, by which its holder is known. */
  of(receiver: unknown, method: AnyMethod): string {
    if (this.#name !== undefined) return this.#name
    const { key, isStatic } = this.#place
    if (receiver === null || (typeof receiver !== 'object' && typeof receiver !== 'function'))
      return String(key)
    for (let holder = receiver; holder !== null; holder = Object.getPrototypeOf(holder) as object) {
      const own = Object.getOwnPropertyDescriptor(holder, key)
      if (own?.value !== method && own?.get !== method && own?.set !== method) continue
      this.#name = this.#join((isStatic ? holder : (holder as object).constructor) as () => void)
      return this.#name
    }
    return this.#join((isStatic ? receiver : receiver.constructor) as () => void)
  }

  #join(owner: unknown): string {
    const { key } = this.#place
    const name = typeof owner === 'function' ? owner.name : ''
    const member = typeof key === 'symbol' ? `[${key.description ?? ''}]` : key
    return name === '' ? member : `${name}.${member}`
  }
}
