import { shared } from '../core/shared.js'
import type { BindListener } from './emitter.js'

type Listener = (this: unknown, event: unknown) => unknown
/** What `addEventListener` takes beside a listener (DOM Standard, "AddEventListenerOptions"). */
interface Options {
  readonly capture?: unknown
  readonly once?: unknown
  readonly signal?: unknown
}
type ListenerObject = { handleEvent(event: unknown): unknown }
type Change = (this: EventTarget, type: string, listener: unknown, options?: unknown) => void

interface Binding {
  bind: BindListener
  /**
   * What stands for a listener that the application holds, by its type and phase; weak, so that one that is gone takes its bindings along.
   */
  readonly bound: WeakMap<object, Map<string, Listener>>
}

const { bindings, handlers } = shared('context.targets', () => ({
  bindings: new WeakMap<EventTarget, Binding>(),
  /** The listener that `onabort` was given, by what stands in its place. */
  handlers: new WeakMap<object, Listener>(),
}))

/** Whether `target` is an EventTarget, of Node or of anyone: an AbortSignal, a MessagePort. */
export function isEventTarget(target: unknown): target is EventTarget {
  if (typeof target !== 'object' || target === null) return false
  const { addEventListener, removeEventListener, dispatchEvent } = target as Partial<EventTarget>
  return (
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function' &&
    typeof dispatchEvent === 'function'
  )
}

/**
 * Lets the listeners that are added to `target` from now on be bound by `bind`; a second call replaces the first one's `bind`. A listener
 * has one bound form for each target, so that adding it twice and removing it do what they always do.
 */
export function bindEventTarget(target: EventTarget, bind: BindListener): void {
  const known = bindings.get(target)
  if (known !== undefined) {
    known.bind = bind
    return
  }
  if (!Object.isExtensible(target)) return
  const binding: Binding = { bind, bound: new WeakMap() }
  bindings.set(target, binding)
  const { addEventListener, removeEventListener } = target as unknown as Record<string, Change>
  const methods: Record<string, Change> = {
    addEventListener(type, listener, ...options) {
      return addEventListener!.call(
        this,
        type,
        boundListener(binding, type, listener, options[0]),
        ...options,
      )
    },
    removeEventListener(type, listener, ...options) {
      // One that was added before `bind` is not bound: both are taken out, of which one is there.
      const bound = isListener(listener) ? takeBound(binding, listener, placeOf(type, options[0])) : undefined
      if (bound !== undefined) removeEventListener!.call(this, type, bound, ...options)
      return removeEventListener!.call(this, type, listener, ...options)
    },
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
  bindHandler(target, 'onabort', binding)
}

/** Undoes {@link bindEventTarget} for listeners that are added from now on. @returns whether there was something to undo. */
export function unbindEventTarget(target: EventTarget): boolean {
  if (!bindings.delete(target)) return false
  // `removeEventListener` stays: listeners that are bound are still found by it.
  Reflect.deleteProperty(target, 'addEventListener')
  Reflect.deleteProperty(target, 'onabort')
  return true
}

function isListener(listener: unknown): listener is Listener | ListenerObject {
  return typeof listener === 'function' || (typeof listener === 'object' && listener !== null)
}

/** Where a listener is added: an EventTarget knows one of each type and phase. */
function placeOf(type: unknown, options: unknown): string {
  const capture = typeof options === 'object' && options !== null ? (options as Options).capture : options
  return `${capture ? 'capture' : ''} ${String(type)}`
}

function takeBound(binding: Binding, listener: object, place: string): Listener | undefined {
  const places = binding.bound.get(listener)
  const bound = places?.get(place)
  places?.delete(place)
  return bound
}

function boundListener(binding: Binding, type: unknown, listener: unknown, options: unknown): unknown {
  // What is no listener is the target's to refuse.
  if (!isListener(listener)) return listener
  const place = placeOf(type, options)
  const places = binding.bound.get(listener) ?? new Map<string, Listener>()
  const known = places.get(place)
  if (known !== undefined) return known
  binding.bound.set(listener, places)
  const { once, signal } = (typeof options === 'object' ? (options ?? {}) : {}) as Options
  const call: Listener = function (event) {
    // It is taken out by the target: added again, it is bound anew.
    if (once === true) takeBound(binding, listener, place)
    // A method is looked up at each event, as EventTarget does.
    return typeof listener === 'function' ? listener.call(this, event) : listener.handleEvent(event)
  }
  const bound = binding.bind(call as never) as Listener
  places.set(place, bound)
  if (isEventTarget(signal)) {
    signal.addEventListener('abort', () => takeBound(binding, listener, place), { once: true })
  }
  return bound
}

function bindHandler(target: EventTarget, name: string, binding: Binding): void {
  let accessor: PropertyDescriptor | undefined
  for (let holder: object | null = target; holder !== null && accessor === undefined; ) {
    accessor = Object.getOwnPropertyDescriptor(holder, name)
    holder = Object.getPrototypeOf(holder) as object | null
  }
  const { get, set } = accessor ?? {}
  if (get === undefined || set === undefined) return
  Object.defineProperty(target, name, {
    configurable: true,
    get(this: EventTarget): unknown {
      const current: unknown = get.call(this)
      return isListener(current) ? (handlers.get(current) ?? current) : current
    },
    set(this: EventTarget, handler: unknown) {
      if (typeof handler !== 'function') return set.call(this, handler)
      const bound = binding.bind(handler as never)
      handlers.set(bound, handler as Listener)
      set.call(this, bound)
    },
  })
}
