import { shared } from '../core/shared.js'
import type { AnyMethod } from '../hooks/imitate.js'

/** A method that stands behind what a legacy `@Bind` has put in its place. */
export interface BoundMethod {
  readonly method: AnyMethod
  /** The same binding around another method. */
  readonly again: (method: AnyMethod) => PropertyDescriptor
}

/** By the getter, or the static function, that stands in the class. */
const methods = shared('decorators.bound', () => new WeakMap<object, BoundMethod>())

/** Remembers what stands behind `standIn`. */
export function remember(standIn: object, bound: BoundMethod): void {
  methods.set(standIn, bound)
}

/** What stands behind a descriptor that a legacy `@Bind` made; undefined for others. */
export function wrappedIn({ get, value }: PropertyDescriptor): BoundMethod | undefined {
  const standIn: unknown = get ?? value
  return typeof standIn === 'function' ? methods.get(standIn) : undefined
}
