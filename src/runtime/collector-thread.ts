/** The collector thread as the main thread sees it: started when it is needed, told what it must know, replaced should it die. */
import type { Worker, WorkerOptions } from 'node:worker_threads'
import { debug, warnOnce } from '../core/log.js'
import { unseenWorker } from '../hooks/unseen-worker.js'
import type { CollectorMessage, CollectorStart, Connection, ThreadEntry } from '../link/messages.js'
import {
  ABSENT,
  AWAKE,
  BEGUN,
  DISMISSED,
  FLUSH_DONE,
  FLUSH_WANTED,
  HEAD,
  HELD,
  NOT_YET,
  SEALED,
  SLOTS_USED,
  STATE,
  TAIL,
  type ThreadMemory,
  WORK,
} from '../ring/layout.js'

/** How to start the collector thread. */
export interface CollectorProgram {
  /** Path of its program. */
  readonly collector: string
  /** The constructor for a thread that is not followed. */
  readonly worker: () => new (file: string, options: WorkerOptions) => Worker
  /** The process's environment, with what a parent process had put into it. */
  readonly env: NodeJS.ProcessEnv
  /** The program's file. */
  readonly main: string | undefined
  /** Calls a function in no context of the application's. */
  readonly outside: <T>(fn: () => T) => T
}

/** What the collector thread has to do with the main thread's own ring. */
export interface RingOwner {
  /** Whether the main thread hands its spans on itself until the collector is ready. */
  readonly isReading: boolean
  /** The collector is ready for the main thread's ring. */
  ready(): void
}

/** Collectors that a process has in its life, should they fail. */
const LIVES = 2

export class CollectorThread {
  private readonly control: Int32Array
  private thread: Worker | undefined
  private lives = LIVES
  private isClosed = false
  private pending: CollectorMessage[] = []
  /** What a new collector would have to know. */
  private readonly threads = new Map<number, ThreadEntry>()
  private readonly folders = new Set<string>()
  private readonly cells = new Map<string, CollectorMessage>()
  /** Whether a thread that is gone has left anything. */
  private hasLegacy = false

  constructor(
    private readonly program: CollectorProgram,
    private readonly connection: Connection,
    private readonly owner: RingOwner,
  ) {
    this.control = new Int32Array(connection.control)
  }

  get isRunning(): boolean {
    return this.thread !== undefined
  }

  /** Whether what it has not delivered can be delivered without it. */
  get isReplaceable(): boolean {
    return hasAddressSpace(LITTLE_ROOM)
  }

  /** Whether it has died for good: nothing is recorded any more. */
  get isLost(): boolean {
    return this.lives === 0
  }

  /** Whether there is, or may be, something for it to deliver. */
  get hasWork(): boolean {
    return (
      this.hasLegacy ||
      this.folders.size > 0 ||
      this.cells.size > 0 ||
      Atomics.load(this.control, WORK) === BEGUN ||
      [...this.threads.values()].some(hasWritten)
    )
  }

  /** It hears this at once, or first thing when it starts. */
  tell(message: CollectorMessage): void {
    switch (message.type) {
      case 'thread':
        this.threads.set(message.entry.thread, message.entry)
        if (this.isLost) seal(message.entry)
        break
      case 'ended': {
        const entry = this.threads.get(message.thread)
        this.hasLegacy ||= entry !== undefined && hasWritten(entry)
        this.threads.delete(message.thread)
        for (const [key, cells] of this.cells) {
          if (cells.type !== 'cells' || cells.thread !== message.thread) continue
          this.cells.delete(key)
          this.hasLegacy = true
        }
        break
      }
      case 'cells':
        this.cells.set(`${message.thread} ${message.index}`, message)
        break
      case 'folder':
        this.folders.add(message.path)
        break
    }
    if (this.thread !== undefined) this.thread.postMessage(message)
    else this.pending.push(message)
  }

  /**
   * The process ends, and has no work for it.
   * @returns false where it has begun to work nevertheless.
   */
  dismiss(): boolean {
    this.close()
    return !this.isRunning || Atomics.compareExchange(this.control, WORK, NOT_YET, DISMISSED) === NOT_YET
  }

  /** What it is to read: the rings of threads that run, or have ended unknown to it, and the folders of descendants. */
  get sources(): { readonly memories: readonly ThreadMemory[]; readonly folders: readonly string[] } {
    return { memories: [...this.threads.values()].map(({ memory }) => memory), folders: [...this.folders] }
  }

  /**
   * The process ends: keeps it from its work, where that is the main thread's ring alone and it has not begun.
   * @returns Whether the ring is the caller's, who must call `release`.
   */
  hold(): boolean {
    // A ring that is looked at and given back must not be written to meanwhile: only the caller's own is not.
    if (this.hasLegacy || this.folders.size > 0 || this.threads.size !== 1 || !this.threads.has(0))
      return false
    return Atomics.compareExchange(this.control, WORK, NOT_YET, HELD) === NOT_YET
  }

  /** @param work What is to become of one that was held. */
  release(work: typeof NOT_YET | typeof DISMISSED): void {
    Atomics.store(this.control, WORK, work)
    Atomics.notify(this.control, WORK)
  }

  /** Nothing is started from now on. */
  close(): void {
    this.isClosed = true
  }

  start(): void {
    if (this.thread !== undefined || this.isClosed || this.isLost) return
    const { anchor, control, channel, link } = this.connection
    const isAwaited = this.owner.isReading
    const start: CollectorStart = {
      control,
      anchor,
      channel,
      messages: this.pending,
      link,
      isAwaited,
      main: this.program.main,
    }
    this.pending = []
    try {
      if (!hasAddressSpace(ROOM)) throw new Error('there is no room for it within the limit of address space')
      this.thread = this.program.outside(() => this.open(start))
      if (!isAwaited) Atomics.store(this.control, STATE, AWAKE)
    } catch (error) {
      debug('collector could not be started: %s', error)
      this.lives = 1
      this.ended(error)
    }
  }

  /** A thread that does not keep the process running, and cannot end it. */
  private open(workerData: CollectorStart): Worker {
    const Thread = this.program.worker()
    // It writes to descriptors. For what else might be said, Node would make the program's own streams, which that may never ask for.
    const isQuiet = process.env['NODE_DEBUG'] === undefined
    const make = (execArgv: string[]): Worker =>
      unseenWorker(
        () =>
          new Thread(this.program.collector, {
            name: 'threadspan',
            workerData,
            execArgv,
            argv: [],
            env: this.program.env,
            trackUnmanagedFds: false,
            stdout: isQuiet,
            stderr: isQuiet,
            resourceLimits: { codeRangeSizeMb: CODE },
          }),
      )
    let worker: Worker
    try {
      worker = make(hearsSignals(workerData) ? [INTERNALS] : [])
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error
      worker = make([])
    }
    // A busy main thread sees it in the control block.
    worker.on('message', () => this.owner.ready())
    worker.unref()
    let failure: unknown
    // The application must not end because its telemetry did.
    worker.on('error', (error) => {
      failure = error
    })
    worker.once('exit', () => {
      // Out of memory, the error comes after the end.
      setImmediate(() => this.ended(failure)).unref()
    })
    return worker
  }

  /** It has died: another one goes on with the rings as they are, or nothing is recorded from now on. */
  private ended(failure: unknown): void {
    if (this.isClosed) return
    const reason = failure instanceof Error ? failure.message : String(failure ?? 'for no reason it told')
    debug('collector failed: %s', reason)
    this.thread = undefined
    this.lives--
    Atomics.store(this.control, STATE, ABSENT)
    if (!this.isLost) {
      this.pending = [...this.threads.values()].map((entry) => ({
        type: 'thread',
        entry: { ...entry, stream: (entry.stream ?? 0) + 1, unsent: [] },
      }))
      for (const path of this.folders) this.pending.push({ type: 'folder', path })
      this.pending.push(...this.cells.values())
      this.start()
      return
    }
    for (const entry of this.threads.values()) seal(entry)
    this.pending = []
    // What they wait for will not come.
    Atomics.store(this.control, FLUSH_DONE, Atomics.load(this.control, FLUSH_WANTED))
    Atomics.notify(this.control, FLUSH_DONE)
    warnOnce(
      'THREADSPAN_COLLECTOR',
      `the telemetry thread could not be started, or has ended twice: ${reason}. Spans are dropped from now on, but for what fits into memory until the process ends`,
    )
  }
}

/** Megabytes of address space for its code: a few are used, and unasked the engine takes half a gigabyte, which `ulimit -v` counts. */
const CODE = 32
/** Kilobytes of address space without which a thread's start can end the process. */
const ROOM = 600 * 1024
/** The same for a delivery by the main thread. */
const LITTLE_ROOM = 96 * 1024

/** Whether a limit of address space (`ulimit -v`) leaves room. No error can be caught where it does not. */
function hasAddressSpace(room: number): boolean {
  if (process.platform !== 'linux') return true
  try {
    const { readFileSync } = process.getBuiltinModule('node:fs')
    const limit = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    if (limit === undefined) return true
    const size = /^VmSize:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    return size === undefined || Number(limit) / 1024 - Number(size) > room
  } catch {
    return true
  }
}

/** The option by which a thread can hear signals without a listener (`collector/default-signals.ts`). */
const INTERNALS = '--expose-internals'
/** Where someone looks at the threads of the process, or at Node's internals, it stays as it is. */
const WATCHED = /--(?:inspect|expose[-_]internals)/

/** A process that hands its spans on need not hear them: who reads its spans outlives it. */
function hearsSignals({ link }: CollectorStart): boolean {
  const isWatched = WATCHED.test(`${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`)
  return link === undefined && process.platform !== 'win32' && !isWatched
}

/** Whether a span has ended, or started, in the thread. */
function hasWritten({ memory }: ThreadEntry): boolean {
  const words = new Int32Array(memory.buffer, 0, SLOTS_USED + 1)
  return Atomics.load(words, HEAD) !== 0 || Atomics.load(words, SLOTS_USED) !== 0
}

/** Nobody reads the thread's ring any more. */
export function seal({ memory }: { memory: ThreadMemory }): void {
  const words = new Int32Array(memory.buffer, 0, SEALED + 1)
  Atomics.store(words, SEALED, 1)
  // A writer that waits for room does so in vain.
  Atomics.notify(words, TAIL)
}
