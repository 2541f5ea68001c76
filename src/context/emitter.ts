import { EventEmitter } from 'node:events'
import { shared } from '../core/shared.js'

type Listener = (this: unknown, ...args: unknown[]) => unknown
type Add = (this: EventEmitter, event: string | symbol, listener: Listener) => EventEmitter

/** Gives a function that runs `listener` in some context, whenever it is called. */
export type BindListener = (listener: Listener) => Listener

const { binders, ours } = shared('bind.emitters', () => ({
  binders: new WeakMap<EventEmitter, { bind: BindListener }>(),
  /** Listeners and methods that were made here. */
  ours: new WeakSet<object>(),
}))
const ADDING = ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener']

/** Whether `target` is one of Node's EventEmitters (or of a class made from it). */
export function isEmitter(target: unknown): target is EventEmitter {
  return target instanceof EventEmitter
}

/**
 * Lets the listeners that are added to `emitter` from now on be bound by `bind`; a second call replaces the first one's `bind`.
 *
 * A bound listener carries the original in its `listener` property, as those of `once` do: by that Node itself finds it again
 * in `off`, `removeListener`, `listeners` and the `newListener` event, so that only the methods which add need a stand-in.
 */
export function bindEmitter(emitter: EventEmitter, bind: BindListener): void {
  const known = binders.get(emitter)
  if (known !== undefined) {
    known.bind = bind
    return
  }
  if (!Object.isExtensible(emitter)) return
  const binder = { bind }
  binders.set(emitter, binder)
  const { on, addListener, prependListener } = emitter as unknown as Record<string, Add>
  define(emitter, 'on', adding(binder, on!))
  define(emitter, 'addListener', adding(binder, addListener!))
  define(emitter, 'prependListener', adding(binder, prependListener!))
  define(emitter, 'once', addingOnce(binder, on!))
  define(emitter, 'prependOnceListener', addingOnce(binder, prependListener!))
}

/** Undoes {@link bindEmitter} for listeners that are added from now on, unless somebody else has replaced the methods since. */
export function unbindEmitter(emitter: EventEmitter): void {
  if (!binders.delete(emitter)) return
  for (const name of ADDING) {
    const method: unknown = Object.getOwnPropertyDescriptor(emitter, name)?.value
    if (typeof method === 'function' && ours.has(method)) Reflect.deleteProperty(emitter, name)
  }
}

function define(emitter: EventEmitter, name: string, value: Add): void {
  ours.add(value)
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(emitter, name, { value, configurable: true, writable: true, enumerable: false })
}

function mark(listener: Listener, original: Listener): Listener {
  ours.add(listener)
  return Object.assign(listener, { listener: original })
}

function adding(binder: { bind: BindListener }, add: Add): Add {
  return function (event, listener) {
    // One of ours arrives here when an emitter's `addListener` calls its `on`. What is no function is Node's to refuse.
    const foreign = typeof listener === 'function' && !ours.has(listener)
    return add.call(this, event, foreign ? mark(binder.bind(listener), listener) : listener)
  }
}

function addingOnce(binder: { bind: BindListener }, add: Add): Add {
  return function (event, listener) {
    if (typeof listener !== 'function') return add.call(this, event, listener)
    const bound = binder.bind(listener)
    const emitter = this
    const once: Listener = function (...args) {
      emitter.removeListener(event, once as (...args: unknown[]) => void)
      return bound.apply(this, args)
    }
    return add.call(this, event, mark(once, listener))
  }
}

/** Gives a function that runs `listener` in what is current, or undefined where nothing is. */
export type KeepListener = (listener: Listener) => Listener | undefined

/**
 * Lets each listener that is added to `target` be kept in what is current as it is added. `target` is an emitter, or the prototype of a class of
 * them, whose methods that add are replaced once for all. What is said of bound listeners at {@link bindEmitter} holds here.
 *
 * @returns undoes it for listeners that are added from now on, unless somebody else has replaced the methods since.
 */
export function keepListeners(target: EventEmitter, keep: KeepListener): () => void {
  if (!Object.isExtensible(target)) return () => {}
  const before = new Map(ADDING.map((name) => [name, Object.getOwnPropertyDescriptor(target, name)]))
  /** Looked up at each call: what others patch into the class later is still called. */
  const original = (name: string): Add =>
    (before.get(name)?.value ?? (Object.getPrototypeOf(target) as Record<string, unknown>)[name]) as Add
  for (const name of ['on', 'addListener', 'prependListener']) define(target, name, keeping(name))
  for (const [name, add] of [
    ['once', 'on'],
    ['prependOnceListener', 'prependListener'],
  ] as const) {
    define(target, name, keepingOnce(name, add))
  }
  return () => {
    for (const name of ADDING) {
      const method: unknown = Object.getOwnPropertyDescriptor(target, name)?.value
      if (typeof method !== 'function' || !ours.has(method)) continue
      const own = before.get(name)
      if (own === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, own)
    }
  }

  function keeping(name: string): Add {
    return function (event, listener) {
      const foreign = typeof listener === 'function' && !ours.has(listener)
      const kept = foreign ? keep(listener) : undefined
      return original(name).call(this, event, kept === undefined ? listener : mark(kept, listener))
    }
  }

  function keepingOnce(name: string, add: string): Add {
    return function (event, listener) {
      const kept = typeof listener === 'function' ? keep(listener) : undefined
      if (kept === undefined) return original(name).call(this, event, listener)
      const emitter = this
      const once: Listener = function (...args) {
        emitter.removeListener(event, once as (...args: unknown[]) => void)
        return kept.apply(this, args)
      }
      return original(add).call(this, event, mark(once, listener))
    }
  }
}
