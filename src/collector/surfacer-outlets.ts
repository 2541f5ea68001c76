/** The threads that call surfacers, as the telemetry thread sees them. */
import { join } from 'node:path'
import { BroadcastChannel, Worker } from 'node:worker_threads'
import { monotonicNow } from '../core/clock.js'
import type { ExportLog } from '../export/exporter.js'
import type { SurfacerEvent } from '../metrics/surfacer.js'
import type * as Code from '../metrics/surfacers-channel.js'
import { surfacersChannel } from '../metrics/surfacers-channel.js'
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

export type ToSurfacers =
  | { readonly events: readonly SurfacerEvent[] }
  /** Milliseconds that are left until it is to be over. */
  | { readonly close: number }

export type FromSurfacers =
  | { readonly done: number }
  | { readonly failed: string; readonly message: string }
  | { readonly closed: true }

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

  constructor(
    private readonly names: readonly string[],
    private readonly url: string | undefined,
    private readonly log: ExportLog,
  ) {}

  send(events: readonly SurfacerEvent[]): void {
    if (this.isOver) return
    this.waiting += events.length
    this.worker ??= this.open()
    this.worker.postMessage({ events } satisfies ToSurfacers)
  }

  private open(): Worker {
    const workerData: SurfacersStart = { names: this.names, url: this.url, calling: this.calling }
    Atomics.store(new Int32Array(this.calling), 0, -1)
    const worker = new Worker(join(__dirname, 'surfacers.cjs'), {
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
    if (!isClosed) this.tellHanging()
    this.isOver = true
    void worker.terminate()
  }

  private tellHanging(): void {
    const index = Atomics.load(new Int32Array(this.calling), 0)
    const name = this.names[index] ?? this.names.join()
    this.complain(
      name,
      `it has not come to an end in time; ${this.waiting} values and transactions were not told`,
    )
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

  send(events: readonly SurfacerEvent[]): void {
    // They may come at any time.
    if ((Atomics.load(this.control, SURFACES) & BY_CODE) === 0) return
    if (this.channel === undefined) {
      this.channel = new BroadcastChannel(surfacersChannel(this.name))
      this.channel.onmessage = (event) => {
        this.waiting -= (event as { data: Code.FromSurfacers }).data.done
      }
    }
    this.waiting += events.length
    this.channel.postMessage({ events } satisfies Code.ToSurfacers)
  }

  /** The main thread takes what is left once it goes on. */
  async close(): Promise<void> {}
}
