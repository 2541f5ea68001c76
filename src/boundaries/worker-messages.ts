/**
 * What goes along with messages to a Worker, beside them: a note for each, in shared memory. The messages stay as they are.
 *
 * Both sides count what goes through the Worker's port, which keeps its order. A note that has been overwritten because its reader is far
 * behind, or that nobody wrote, is none.
 */
import threads, { type MessagePort, type Worker } from 'node:worker_threads'
import { replaceMethod } from '../hooks/replace-method.js'

/** Words of a note. */
const NOTE_WORDS = 15

/** Notes that wait at most. */
const NOTES = 256
/** The number of the message that the note is for, plus one; then the note. */
const ENTRY = 1 + NOTE_WORDS

/** Writes what is current. @returns whether there is something. */
export type WriteNote = (words: Int32Array, at: number) => boolean

/** Calls `fn` in what the note at `at` says; -1 where there is none. */
export type EnterNote = <T>(words: Int32Array, at: number, fn: () => T) => T

/** Room for the notes of one Worker, to be handed to it; undefined where there is no shared memory. */
export function roomForNotes(): SharedArrayBuffer | undefined {
  return typeof SharedArrayBuffer === 'undefined' ? undefined : new SharedArrayBuffer(NOTES * ENTRY * 4)
}

class Sender {
  private readonly words: Int32Array
  private count = 0

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory)
  }

  /** Before a message is posted: it can be read as soon as it is. */
  note(write: WriteNote): void {
    const { words, count } = this
    const at = (count % NOTES) * ENTRY
    Atomics.store(words, at, 0)
    if (write(words, at + 1)) Atomics.store(words, at, count + 1)
  }

  /** It was posted. */
  posted(): void {
    this.count = (this.count + 1) | 0
  }
}

const senders = new WeakMap<Worker, Sender>()
let isNoting = false

/** From now on, what `write` writes goes along with each message to `worker`. */
export function noteMessages(worker: Worker, memory: SharedArrayBuffer, write: WriteNote): void {
  senders.set(worker, new Sender(memory))
  if (isNoting) return
  isNoting = true
  // The class's method: an instance has none of its own.
  const { prototype } = Object.getPrototypeOf(worker).constructor as typeof Worker
  replaceMethod<Worker['postMessage']>(
    prototype,
    'postMessage',
    (original) =>
      function postMessage(this: Worker, ...args: unknown[]) {
        const sender = senders.get(this)
        if (sender === undefined) return Reflect.apply(original, this, args)
        sender.note(write)
        Reflect.apply(original, this, args)
        // What cannot be cloned throws, and is no message.
        sender.posted()
      },
  )
}

/** How Node hands an event of a port to its listeners; the same name in Node 20 to 26. */
const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch')

type Dispatch = (this: MessagePort, value: unknown, type: string, event: unknown) => unknown

/**
 * In the Worker: runs what listens to its parent's messages in what was noted for each.
 *
 * @returns whether this Node lets us see messages.
 */
export function receiveNotes(memory: SharedArrayBuffer, enter: EnterNote): boolean {
  const port = threads.parentPort as (MessagePort & { [DISPATCH]?: Dispatch }) | null
  const dispatch = port?.[DISPATCH]
  if (port === null || typeof dispatch !== 'function') return false
  const words = new Int32Array(memory)
  let count = 0
  const next = (): number => {
    const at = (count % NOTES) * ENTRY
    count = (count + 1) | 0
    return Atomics.load(words, at) === count ? at + 1 : -1
  }
  Object.defineProperty(port, DISPATCH, {
    value: function (this: MessagePort, value: unknown, type: string, event: unknown) {
      if (type !== 'message' && type !== 'messageerror')
        return Reflect.apply(dispatch, this, [value, type, event])
      return enter(words, next(), () => Reflect.apply(dispatch, this, [value, type, event]))
    } satisfies Dispatch,
    configurable: true,
    writable: true,
    enumerable: false,
  })
  replaceMethod<typeof threads.receiveMessageOnPort>(
    threads,
    'receiveMessageOnPort',
    (original) =>
      function receiveMessageOnPort(from) {
        const received = original(from)
        // It is read outside of any listener: what its reader does with it has no context of its own.
        if (from === port && received !== undefined) next()
        return received
      },
  )
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
  return true
}
