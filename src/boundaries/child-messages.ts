/**
 * What goes along with messages to a child process over its IPC channel: a note before each, as one of the messages that Node's own two
 * ends of the channel exchange and that no program sees. The messages stay as they are.
 */
import type { ChildProcess } from 'node:child_process'
import type { EventEmitter } from 'node:events'
import { guarded } from '../hooks/guarded.js'
import { ownEmit } from '../hooks/observe-emit.js'

/** Messages whose `cmd` begins with `NODE_` are Node's own, and are told of by another event. */
const COMMAND = 'NODE_THREADSPAN'

/** Notes that wait for their messages at most: those may be held back until there is a listener. */
const MOST = 1000

interface Note {
  readonly cmd: typeof COMMAND
  /** Of the message that comes with it: how many were sent before. */
  readonly number: number
  readonly note: string
}

type Send = (this: ChildProcess, ...args: unknown[]) => boolean

/**
 * From now on, what `current` says goes along with each message to a child that the preload runs in.
 *
 * @param current undefined for nothing.
 */
export function noteSends(child: ChildProcess, current: () => string | undefined): void {
  const { send, _send } = child as unknown as { send?: Send; _send?: Send }
  if (typeof send !== 'function' || typeof _send !== 'function') return
  let number = 0
  const noting: Send = function (this: ChildProcess, ...args) {
    const note = this.connected ? guarded('child message', current) : undefined
    if (note !== undefined) {
      const message: Note = { cmd: COMMAND, number, note }
      guarded('child message', () => Reflect.apply(_send, this, [message, undefined, true]))
    }
    const result = Reflect.apply(send, this, args)
    number++
    return result
  }
  Object.defineProperty(noting, 'name', { value: send.name, configurable: true })
  Object.defineProperty(noting, 'length', { value: send.length, configurable: true })
  Object.defineProperty(child, 'send', { ...Object.getOwnPropertyDescriptor(child, 'send'), value: noting })
}

/** In the child: runs what listens to its parent's messages in what came along with each. */
export function receiveSends(enter: <T>(note: string | undefined, fn: () => T) => T): void {
  if (typeof process.send !== 'function') return
  const notes = new Map<number, string>()
  let number = 0
  ownEmit(process, (original) => {
    return function emit(this: EventEmitter, ...args: [event: string | symbol, ...rest: unknown[]]) {
      const [event, message] = args
      if (event === 'internalMessage' && isNote(message)) {
        if (notes.size < MOST) notes.set(message.number, message.note)
      } else if (event === 'message') {
        const note = notes.get(number)
        notes.delete(number++)
        return enter(note, () => original().apply(this, args))
      }
      return original().apply(this, args)
    }
  })
}

function isNote(message: unknown): message is Note {
  const { cmd, number, note } = (message ?? {}) as Partial<Note>
  return cmd === COMMAND && typeof number === 'number' && typeof note === 'string'
}
