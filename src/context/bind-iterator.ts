import { shared } from '../core/shared.js'

type Step = (this: unknown, ...args: unknown[]) => unknown

/** Calls `fn` in some context. */
export type Enter = <T>(fn: () => T) => T

/** The original of each bound iterator or iterable. */
const originals = shared('context.iterators', () => new WeakMap<object, object>())

/** Whether `target` is an asynchronous iterable, or an asynchronous iterator: what has a `next`, which is taken at its word. */
export function isAsyncIteration(target: unknown): target is object {
  if (typeof target !== 'object' || target === null) return false
  const { next } = target as { next?: unknown }
  const iterable = (target as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator]
  return typeof iterable === 'function' || typeof next === 'function'
}

/** Whether calling `fn` makes a generator, whose body runs later, step by step. */
export function isGeneratorFunction(fn: object): boolean {
  const tag = (fn as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return tag === 'GeneratorFunction' || tag === 'AsyncGeneratorFunction'
}

/** Whether it was made by {@link bindIteration}. */
export function originalIteration(target: object): object | undefined {
  return originals.get(target)
}

/** What is entered: the steps of an iteration, and what ends it. */
const STEPS: ReadonlySet<PropertyKey> = new Set(
  ['next', 'return', 'throw', Symbol.asyncDispose, Symbol.dispose].filter((name) => name !== undefined),
)

/**
 * An iterator or iterable like `target` whose steps run in the context that `enter` enters, while what consumes them stays in its own.
 * All else is `target`'s, which is not changed: properties, and methods, which are called on it, so that those with private fields work.
 */
export function bindIteration<T extends object>(target: T, enter: Enter): T {
  const methods = new Map<PropertyKey, { readonly original: Step; readonly bound: Step }>()
  const bound: T = new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function' || name === 'constructor' || isFixed(target, name)) return value
      let method = methods.get(name)
      if (method?.original !== value) {
        method = { original: value as Step, bound: methodOf(name, value as Step) }
        methods.set(name, method)
      }
      return method.bound
    },
    set: (_, name, value) => Reflect.set(target, name, value, target),
  })
  function methodOf(name: PropertyKey, original: Step): Step {
    if (name === Symbol.asyncIterator) {
      return () => {
        const iterator = enter(() => Reflect.apply(original, target, []) as object)
        return iterator === target ? bound : bindIteration(iterator, enter)
      }
    }
    const isStep = STEPS.has(name)
    return (...args) => {
      const call = (): unknown => Reflect.apply(original, target, args)
      const result = isStep ? enter(call) : call()
      return result === target ? bound : result
    }
  }
  originals.set(bound, target)
  return bound
}

/** A proxy must give what cannot change as it is. */
function isFixed(target: object, name: PropertyKey): boolean {
  const own = Object.getOwnPropertyDescriptor(target, name)
  return own !== undefined && own.configurable === false && own.writable === false
}
