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
