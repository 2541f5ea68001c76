import { shared } from '../core/shared.js'

type Step = (this: unknown, ...args: unknown[]) => unknown

/** Calls `fn` in some context. */
export type Enter = <T>(fn: () => T) => T

/** The original of each bound iterator or iterable. */
const originals = shared('bind.iterations', () => new WeakMap<object, object>())

/** Whether `target` is an asynchronous iterable, or an asynchronous iterator: what has a `next`, which is taken at its word. */
export function isAsyncIteration(target: unknown): target is object {
  if (typeof target !== 'object' || target === null) return false
  const { next } = target as { next?: unknown }
  const iterable = (target as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator]
  return typeof iterable === 'function' || typeof next === 'function'
}

/** Whether it was made by {@link bindIteration}. */
export function originalIteration(target: object): object | undefined {
  return originals.get(target)
}

/**
 * An iterator or iterable like `target` whose steps run in the context that `enter` enters, while what consumes them stays in its own.
 * It inherits from `target`, which is not changed.
 */
export function bindIteration<T extends object>(target: T, enter: Enter): T {
  const source = target as Record<PropertyKey, unknown>
  const bound = Object.create(target) as Record<PropertyKey, unknown>
  for (const name of ['next', 'return', 'throw'] as const) {
    const step = source[name]
    if (typeof step !== 'function') continue
    define(bound, name, (...args) => enter(() => Reflect.apply(step, target, args)))
  }
  const iterate = source[Symbol.asyncIterator]
  if (typeof iterate === 'function') {
    define(bound, Symbol.asyncIterator, () => {
      const iterator = enter(() => Reflect.apply(iterate, target, []) as object)
      return iterator === target ? bound : bindIteration(iterator, enter)
    })
  }
  originals.set(bound, target)
  return bound as T
}

function define(bound: object, name: PropertyKey, value: Step): void {
  Object.defineProperty(bound, name, { value, configurable: true, writable: true, enumerable: false })
}
