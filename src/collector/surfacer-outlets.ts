/** The threads that call surfacers, as the telemetry thread sees them. */
import { BroadcastChannel, Worker } from 'node:worker_threads'
import { monotonicNow } from '../core/clock.js'
import type { ExportLog } from '../export/exporter.js'
import type { SurfacerEvent } from '../metrics/surfacer.js'
import { type FromSurfacers, surfacersChannel, type ToSurfacers } from '../metrics/surfacer-messages.js'
import { BY_CODE, SURFACES } from '../ring/layout.js'
import type { SurfacerOutlet } from './surfacing.js'

/** What a thread that calls surfacers is started with. */
export interface SurfacersStart {
  readonly names: readonly string[]
  /** Where `http` sends what it is told. */
  readonly url: string | undefined
  /** One word: the place of the surfacer that is being called, or -1. */
  readonly calling: SharedArrayBuffer
}

/** Milliseconds before the deadline at which a thread is given up. */
const LAST = 50

/** Surfacers by name, or from the user's modules, in a thread of their own: one that hangs holds up neither the program nor its spans. */
export class SurfacerThread implements SurfacerOutlet {
  waiting = 0
  private readonly calling = new SharedArrayBuffer(4)
  private worker: Worker | undefined
  private closed: (() => void) | undefined
  private isOver = false
  private readonly told = new Set<string>()

  /** @param program Absolute path of what the thread runs. */
  constructor(
    private readonly program: string,
    private readonly names: readonly string[],
    private readonly url: string | undefined,
    private readonly log: ExportLog,
  ) {}

  send(events: readonly SurfacerEvent[]): boolean {
    if (this.isOver) return false
    this.waiting += events.length
    this.worker ??= this.open()
    this.worker.postMessage({ events } satisfies ToSurfacers)
    return true
  }

  private open(): Worker {
    const workerData: SurfacersStart = { names: this.names, url: this.url, calling: this.calling }
    Atomics.store(new Int32Array(this.calling), 0, -1)
    const worker = new Worker(this.program, {
      name: 'threadspan surfacers',
      workerData,
      execArgv: [],
      argv: [],
      trackUnmanagedFds: false,
    })
    worker.unref()
    worker.on('message', (message: FromSurfacers) => {
      if ('done' in message) this.waiting -= message.done
      else if ('failed' in message) this.complain(message.failed, message.message)
      else this.closed?.()
    })
    worker.on('error', (error) => this.complain(this.names.join(), String(error?.message ?? error)))
    worker.on('exit', () => {
      if (!this.isOver) this.tellEnd('it has ended the thread of all surfacers')
      this.isOver = true
      this.closed?.()
    })
    return worker
  }

  /** Once for each. */
  private complain(name: string, message: string): void {
    const level = this.told.has(name) ? 'debug' : 'warn'
    this.told.add(name)
    this.log(level, 'THREADSPAN_SURFACER', `surfacer ${name}: ${message}`)
  }

  async close(deadline: number): Promise<void> {
    const { worker } = this
    if (worker === undefined || this.isOver) return
    const left = Math.max(0, deadline - LAST - monotonicNow())
    const isClosed = await new Promise<boolean>((resolve) => {
      this.closed = () => resolve(true)
      setTimeout(() => resolve(false), left)
      worker.postMessage({ close: left } satisfies ToSurfacers)
    })
    if (!isClosed) this.tellEnd('it has not come to an end in time')
    this.isOver = true
    void worker.terminate()
  }

  /** Nobody is told any more. Names the surfacer that was called at that time. */
  private tellEnd(problem: string): void {
    const index = Atomics.load(new Int32Array(this.calling), 0)
    const name = this.names[index] ?? this.names.join()
    const lost = `${this.waiting} values and transactions were not told`
    this.log('warn', 'THREADSPAN_SURFACER', `surfacer ${name}: ${problem}; ${lost}`)
  }
}

/** Surfacers that the program has made, in its main thread. */
export class MainThreadSurfacers implements SurfacerOutlet {
  waiting = 0
  private channel: BroadcastChannel | undefined

  constructor(
    private readonly control: Int32Array,
    private readonly name: string,
  ) {}

  send(events: readonly SurfacerEvent[]): boolean {
    // They may come at any time.
    if ((Atomics.load(this.control, SURFACES) & BY_CODE) === 0) return true
    if (this.channel === undefined) {
      this.channel = new BroadcastChannel(surfacersChannel(this.name))
      this.channel.onmessage = (event) => {
        const { data } = event as { data: FromSurfacers }
        if ('done' in data) this.waiting -= data.done
      }
    }
    this.waiting += events.length
    this.channel.postMessage({ events } satisfies ToSurfacers)
    return true
  }

  /** The main thread takes what is left once it goes on. */
  async close(): Promise<void> {}
}
