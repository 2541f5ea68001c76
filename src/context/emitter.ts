import { EventEmitter } from 'node:events'
import { shared } from '../core/shared.js'

type Listener = (this: unknown, ...args: unknown[]) => unknown
type Add = (this: EventEmitter, event: string | symbol, listener: Listener) => EventEmitter

/** Gives a function that runs `listener` in some context, whenever it is called. */
export type BindListener = (listener: Listener) => Listener
type Binder = { bind: BindListener; undo: () => void }

/** What a constructor returns is what a class that extends it gives its fields to. */
const Given = function (listener: Listener) {
  return listener
} as unknown as new (
  listener: Listener,
) => object

/**
 * Marks listeners by a private field, which nobody sees and which asks nothing of a listener that is a proxy. Each request has such listeners: to
 * keep them in a weak set costs ten times as much, most of it in the garbage collector.
 */
class Ours extends Given {
  readonly #isOurs = true

  static add(listener: Listener): void {
    if (!Ours.has(listener)) new Ours(listener)
  }

  static has(listener: Listener): boolean {
    return #isOurs in listener
  }
}

const { binders, ours } = shared('context.emitters', () => ({
  binders: new WeakMap<EventEmitter, Binder>(),
  /** Listeners that were made here, by whichever copy of this package. */
  ours: Ours,
}))
/** The methods that add a listener, and the one that each adds by. */
const ADDING = {
  on: 'on',
  addListener: 'addListener',
  prependListener: 'prependListener',
  once: 'on',
  prependOnceListener: 'prependListener',
}

/** Whether `target` is one of Node's EventEmitters (or of a class made from it). */
export function isEmitter(target: unknown): target is EventEmitter {
  try {
    return target instanceof EventEmitter
  } catch {
    // A proxy that does not say.
    return false
  }
}

/** Lets the listeners that are added to `emitter` from now on be bound by `bind`; a second call replaces the first one's `bind`. */
export function bindEmitter(emitter: EventEmitter, bind: BindListener): void {
  const known = binders.get(emitter)
  if (known !== undefined) {
    known.bind = bind
    return
  }
  const binder: Binder = { bind, undo: keepListeners(emitter, (listener) => binder.bind(listener)) }
  binders.set(emitter, binder)
}

/** Undoes {@link bindEmitter} for listeners that are added from now on, unless somebody else has replaced the methods since. */
export function unbindEmitter(emitter: EventEmitter): void {
  binders.get(emitter)?.undo()
  binders.delete(emitter)
}

function mark(listener: Listener & { listener?: Listener }, original: Listener): Listener {
  ours.add(listener)
  listener.listener = original
  return listener
}

/** Gives a function that runs `listener` in some context, or undefined where it is to stay as it is. */
export type KeepListener = (listener: Listener) => Listener | undefined

/**
 * Lets each listener that is added to `target` be what `keep` makes of it. `target` is an emitter, or the prototype of a class of
 * them, whose methods that add are replaced once for all.
 *
 * A kept listener carries the original in its `listener` property, as those of `once` do: by that Node itself finds it again
 * in `off`, `removeListener`, `listeners` and the `newListener` event, so that only the methods which add need a stand-in.
 *
 * @returns undoes it for listeners that are added from now on, unless somebody else has replaced the methods since.
 */
export function keepListeners(target: EventEmitter, keep: KeepListener): () => void {
  if (!Object.isExtensible(target)) return () => {}
  const before: Record<string, PropertyDescriptor | undefined> = {}
  const methods: Record<string, Add> = {}
  const own = (name: string) => Object.getOwnPropertyDescriptor(target, name)
  const inherited = (name: string) => (Object.getPrototypeOf(target) as Record<string, Add>)[name]!
  /** Looked up at each call: what others patch into the class later is still called. */
  const original = (name: string): Add => (before[name]?.value as Add | undefined) ?? inherited(name)
  const define = (name: string) =>
    Object.defineProperty(target, name, { value: methods[name], configurable: true, writable: true })
  // The connection of an HTTP server has methods of its own, and gives itself its class's back at the first listener after it was upgraded.
  const hadOwn = own('on') !== undefined
  for (const [name, by] of Object.entries(ADDING)) {
    before[name] = own(name)
    methods[name] = keeping(name, by)
    define(name)
  }
  return () => {
    for (const [name, method] of Object.entries(methods)) {
      if (own(name)?.value !== method) continue
      Reflect.deleteProperty(target, name)
      if (before[name] !== undefined) Object.defineProperty(target, name, before[name])
    }
  }

  function keeping(name: string, by: string): Add {
    const method = {
      [name](this: EventEmitter, event: string | symbol, listener: Listener): EventEmitter {
        // One of ours arrives here when an emitter's `addListener` calls its `on`. What is no function is Node's to refuse.
        const kept = typeof listener === 'function' && !ours.has(listener) ? keep(listener) : undefined
        const added =
          kept === undefined
            ? original(name).call(this, event, listener)
            : original(by).call(this, event, mark(name === by ? kept : once(this, event, kept), listener))
        if (hadOwn && this === target)
          for (const each in methods) if (own(each)?.value === inherited(each)) define(each)
        return added
      },
    }
    return method[name]!
  }
}

function once(emitter: EventEmitter, event: string | symbol, listener: Listener): Listener {
  return function once(...args) {
    emitter.removeListener(event, once as (...args: unknown[]) => void)
    return listener.apply(this, args)
  }
}
