/**
 * Signals that nobody in the program listens to, and whose default ends the process: the telemetry thread hears them by a handle of libuv's
 * of its own, delivers, gives the default back and sends the signal once more. The program has no listener more, and dies of the signal.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { HAS_LISTENER, LISTENER_ADDED, SIGNALS, SIGNALS_AT, WAS_HEARD } from '../ring/layout.js'

/** Of Node's internals, which the thread was started with (`--expose-internals`). */
interface SignalHandle {
  onsignal: ((signal: number) => void) | undefined
  /** @returns 0, or an error of the system. */
  start(signal: number): number
  close(): void
  unref(): void
}

/** Milliseconds by which the delivery may take longer than it should before it is waited for no more. */
const MARGIN = 50
/** Milliseconds after which a process that did not die of its signal lives on. */
const SURVIVAL = 100

/** What is to be done when a signal ends the process. */
export interface SignalledEnd {
  /** Whether the process ends already, by another way: it is given its time. */
  readonly isEnding: boolean
  /** Delivers everything, as this is the end; or, where the process will live on, what there is. */
  deliver(signal: NodeJS.Signals, isEnd: boolean): Promise<void>
}

interface Heard {
  readonly name: NodeJS.Signals
  readonly number: number
  /** Where the main thread says whether the program listens. */
  readonly word: number
  readonly make: () => SignalHandle
  /** While it hears. Made anew each time: one that is stopped and started again is still told of what came before. */
  handle: SignalHandle | undefined
  /** How often a listener had been added when the handle was started. */
  since: number
}

export class DefaultSignals {
  private readonly heard: Heard[] = []
  /** Signals that came while the process was ending. */
  private repeated = 0
  private isDying = false

  /** @param limit Milliseconds for the delivery. */
  constructor(
    private readonly control: Int32Array,
    private readonly limit: number,
    private readonly end: SignalledEnd,
  ) {
    const Handle = handleClass()
    if (Handle === undefined) return
    const isTaken = takenSignals()
    SIGNALS.forEach((name, i) => {
      const number = constants.signals[name]
      if (number === undefined || isTaken(number, name)) return
      this.heard.push({
        name,
        number,
        word: SIGNALS_AT + i,
        make: () => new Handle(),
        handle: undefined,
        since: 0,
      })
    })
    this.update()
  }

  /** Starts and stops handles, as listeners of the program's have gone and come: what they hear is theirs alone. */
  update(): void {
    if (this.isDying) return
    for (const entry of this.heard) {
      const state = Atomics.load(this.control, entry.word)
      const isOurs = (state & HAS_LISTENER) === 0
      if (isOurs === (entry.handle !== undefined)) continue
      if (isOurs) this.start(entry)
      else this.stop(entry)
    }
  }

  /** Nothing is left to be delivered: what comes from now on has its default. */
  close(): void {
    this.isDying = true
    for (const entry of this.heard) this.stop(entry)
  }

  private start(entry: Heard): void {
    entry.since = Atomics.and(this.control, entry.word, ~WAS_HEARD) & ~WAS_HEARD
    const handle = entry.make()
    handle.onsignal = () => this.hear(entry)
    if (handle.start(entry.number) !== 0) {
      handle.close()
      return
    }
    handle.unref()
    entry.handle = handle
  }

  private stop(entry: Heard): void {
    entry.handle?.close()
    entry.handle = undefined
  }

  private hear(entry: Heard): void {
    const state = Atomics.load(this.control, entry.word)
    if ((state & HAS_LISTENER) !== 0) return
    // A listener came and went since: it was told of this signal, or it was gone by then.
    if (state - (state % LISTENER_ADDED) !== entry.since && (state & WAS_HEARD) !== 0) return
    if (this.isDying) this.send(entry)
    else if (!this.end.isEnding) void this.die(entry)
    else if (++this.repeated > 1) this.send(entry)
  }

  private async die(entry: Heard): Promise<void> {
    this.isDying = true
    // The first process of a container does not die of a signal that it does not listen to.
    const isEnd = process.pid !== 1
    const delivery = this.end.deliver(entry.name, isEnd).catch(() => {})
    await Promise.race([delivery, after(this.limit + MARGIN)])
    this.send(entry)
    await after(SURVIVAL)
    this.isDying = isEnd
    if (!isEnd) this.update()
  }

  /** Gives the default back and sends the signal again: the process is gone then, or was not to die of it. */
  private send({ number }: Heard): void {
    for (const entry of this.heard) this.stop(entry)
    try {
      process.kill(process.pid, number)
    } catch {
      // Whoever has forbidden it does not want it.
    }
  }
}

/** Undefined where Node does not let us have it. */
function handleClass(): (new () => SignalHandle) | undefined {
  const { emitWarning } = process
  // Node warns of what is for its own tests; users could do nothing about it.
  process.emitWarning = () => {}
  try {
    const load = createRequire(__filename)
    const { internalBinding } = load('internal/test/binding') as { internalBinding(name: string): unknown }
    return (internalBinding('signal_wrap') as { Signal: new () => SignalHandle }).Signal
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Signals that are ignored, or that something other than Node handles, where the system tells (proc(5), `SigIgn` and `SigCgt`). */
function takenSignals(): (signal: number, name: string) => boolean {
  let status = ''
  try {
    if (process.platform === 'linux') status = readFileSync('/proc/self/status', 'latin1')
  } catch {
    // Not told, then.
  }
  const mask = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1] ?? '0'}`)
  const ignored = mask('SigIgn')
  const caught = mask('SigCgt')
  const has = (signals: bigint, signal: number): boolean => ((signals >> BigInt(signal - 1)) & 1n) === 1n
  // These two Node handles itself from its start on: it resets the terminal, and dies of them.
  const isNodes = (name: string): boolean => name === 'SIGTERM' || name === 'SIGINT'
  return (signal, name) => has(ignored, signal) || (has(caught, signal) && !isNodes(name))
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
