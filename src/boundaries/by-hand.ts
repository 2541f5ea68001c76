import type { ChildProcess } from 'node:child_process'
import type { Worker } from 'node:worker_threads'
import type { Carrier } from '../context/carrier.js'
import { isEmitter } from '../context/emitter.js'
import { capture, Snapshot } from '../context/snapshot.js'
import { type NamedSpanOptions, withSpan } from '../context/span.js'
import { count } from '../core/counters.js'
import { ThreadspanError } from '../core/errors.js'
import { shared } from '../core/shared.js'
import { parseTraceparent } from '../core/traceparent.js'
import { resemble } from '../hooks/imitate.js'

/** The property of a message that holds its carrier. */
const FIELD = 'threadspan'

/** What a message looks like that carries its sender's context. */
type Carrying = { readonly [FIELD]?: unknown }

type Undo = () => void

/** How {@link wrapHandler} gets at the context of a message. */
export interface HandlerOptions<M = unknown> {
  /** The carrier of a message, where a protocol has a place of its own for it; the message then goes to the handler as it is. */
  readonly carrier?: (message: M) => unknown
  /** Whether messages come from another service, not from a thread or process of this program (default false). */
  readonly remote?: boolean
  /** Makes a span around each call: its name, or name and `SpanOptions`. */
  readonly span?: string | NamedSpanOptions
}

/** Objects that are no instance of a class: what a copy with one more property is the same as. */
function isPlain(message: unknown): message is Record<string, unknown> {
  if (typeof message !== 'object' || message === null) return false
  const prototype: unknown = Object.getPrototypeOf(message)
  return prototype === Object.prototype || prototype === null
}

/**
 * A copy of `message` that carries what is current, in a property `threadspan`, for {@link wrapHandler} on the other side. A receiver
 * that knows nothing of it sees one property more.
 *
 * A message that is no plain object (an array, a Map, a string), or has a property of that name already, comes back as it is, and is
 * counted (`message.form`): send `capture().toCarrier()` in a place of your own.
 *
 * @param options `clone`: it goes by structured clone, not as JSON, so that values may be what JSON has no form for.
 */
export function withCarrier<M>(message: M, options?: { readonly clone?: boolean }): M {
  const carrier = capture().toCarrier(options)
  if (Object.keys(carrier).length === 0) return message
  if (!isPlain(message)) {
    count('message.form')
    return message
  }
  if (Object.hasOwn(message, FIELD) && carrierOf(message) === undefined) {
    // The application's own property of that name stays.
    count('message.form')
    return message
  }
  const copy = Object.create(Object.getPrototypeOf(message) as object | null) as object
  return Object.assign(copy, message, { [FIELD]: carrier })
}

const { wrappers, traced } = shared('boundaries.messages', () => ({
  /** Handlers that were made here. */
  wrappers: new WeakSet<object>(),
  /** What undoes the tracing of each Worker and child. */
  traced: new WeakMap<object, Undo>(),
}))

/**
 * A message handler that runs in the context that the message carries, whatever it crossed: a Worker, a MessagePort, IPC, a socket, a
 * queue. A message without a context runs in none, never in that of the message before.
 *
 * @param handler called with the message, without what {@link withCarrier} added, and what else the call brings. For a MessageEvent, whose
 *   `data` carries, the event goes on as it is.
 * @returns a function of the same length and name; a handler that is wrapped already comes back as it is.
 */
export function wrapHandler<M, R extends unknown[], T>(
  handler: (message: M, ...rest: R) => T,
  options: HandlerOptions<M> = {},
): (message: M, ...rest: R) => T {
  if (wrappers.has(handler)) return handler
  const { carrier: pick, remote = false, span } = options
  const wrapped = function (this: unknown, message: M, ...rest: R): T {
    const carrier = pick === undefined ? carrierIn(message) : picked(pick, message)
    const input = pick === undefined ? withoutCarrier(message) : message
    const call = (): T => handler.call(this, input, ...rest)
    return Snapshot.from(carrier, { remote }).run(() => (span === undefined ? call() : withSpan(span, call)))
  }
  resemble(wrapped, handler)
  wrappers.add(wrapped)
  return wrapped
}

function carrierIn(message: unknown): unknown {
  if (isPlain(message)) return carrierOf(message)
  if (typeof message !== 'object' || message === null || !('data' in message)) return undefined
  const { data } = message as { data: unknown }
  return isPlain(data) ? carrierOf(data) : undefined
}

/** What a carrier is made of. */
const PARTS: ReadonlySet<string> = new Set<keyof Carrier>([
  'traceparent',
  'tracestate',
  'baggage',
  'transaction',
  'deadline',
  'signal',
  'values',
])

/** The carrier in a message; undefined where the property is one of the application's own that happens to have its name. */
function carrierOf(message: Carrying): unknown {
  const held = Object.hasOwn(message, FIELD) ? message[FIELD] : undefined
  if (!isPlain(held)) return undefined
  const keys = Object.keys(held)
  if (keys.length === 0 || !keys.every((key) => PARTS.has(key))) return undefined
  const { traceparent } = held
  const isOurs = traceparent === undefined || parseTraceparent(String(traceparent)) !== undefined
  return isOurs ? held : undefined
}

function picked<M>(pick: (message: M) => unknown, message: M): unknown {
  try {
    return pick(message)
  } catch {
    count('message.carrier')
    return undefined
  }
}

function withoutCarrier<M>(message: M): M {
  if (!isPlain(message) || carrierOf(message) === undefined) return message
  const { [FIELD]: _, ...rest } = message
  return rest as M
}

type Method = (this: unknown, ...args: unknown[]) => unknown
/** Puts `by` in the place of a method of one object. @returns undoes it, unless somebody has replaced it since. */
function replaceOwn(target: object, name: string, by: (original: Method) => Method): Undo {
  const holder = target as Record<string, Method>
  const before = Object.getOwnPropertyDescriptor(target, name)
  const method = by(holder[name]!)
  Object.defineProperty(method, 'name', { value: name, configurable: true })
  Object.defineProperty(target, name, {
    value: method,
    configurable: true,
    writable: true,
    enumerable: false,
  })
  return () => {
    if (holder[name] !== method) return
    if (before === undefined) Reflect.deleteProperty(target, name)
    else Object.defineProperty(target, name, before)
  }
}

function trace<T extends object>(target: T, send: string, clone: boolean): T {
  if (traced.has(target)) return target
  const sending = replaceOwn(
    target,
    send,
    (original) =>
      function (this: unknown, message: unknown, ...rest: unknown[]) {
        return original.call(this, withCarrier(message, { clone }), ...rest)
      },
  )
  const receiving = replaceOwn(
    target,
    'emit',
    (original) =>
      function (this: unknown, event: unknown, ...args: unknown[]) {
        if (event !== 'message' || carrierIn(args[0]) === undefined)
          return original.call(this, event, ...args)
        const emit = (message: unknown, ...rest: unknown[]): unknown =>
          original.call(this, event, message, ...rest)
        return wrapHandler(emit)(args[0], ...args.slice(1))
      },
  )
  traced.set(target, () => {
    sending()
    receiving()
  })
  return target
}

/**
 * Lets messages to and from a Worker carry context, for programs that run without the preload: what `postMessage` sends
 * carries what is current (see {@link withCarrier}), and listeners of `message` run in what an arriving message carries.
 *
 * In the worker, and for any MessagePort: `port.on('message', wrapHandler(handler))` and `port.postMessage(withCarrier(message))`. Either
 * side does without the other.
 *
 * @returns the same object; one that is traced already is left alone.
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT` if it is no Worker.
 */
export function traceWorker<W extends Worker>(worker: W): W {
  if (!isEmitter(worker) || typeof worker.postMessage !== 'function') {
    throw new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'traceWorker() takes a Worker')
  }
  return trace(worker, 'postMessage', true)
}

/**
 * The same for a child process with an IPC channel, and in the child for `process`: `send` and `message`.
 *
 * @returns the same object; one that is traced already is left alone.
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT` if it is neither.
 */
export function traceChild<C extends ChildProcess | NodeJS.Process>(child: C): C {
  if (!isEmitter(child)) {
    throw new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'traceChild() takes a ChildProcess or process')
  }
  // Without a channel there is no `send`, and nothing to do.
  return typeof child.send === 'function' ? trace(child, 'send', false) : child
}

/** Undoes `traceWorker` and `traceChild`. @returns the same object. */
export function untrace<T extends object>(target: T): T {
  traced.get(target)?.()
  traced.delete(target)
  return target
}
