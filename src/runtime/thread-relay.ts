/** What every thread needs of the relay: its own ring, and memory for the threads that it makes. */
import { clockAnchor, now, unixNano } from '../core/clock.js'
import type { CollectorMessage, Connection, Handoff } from '../link/messages.js'
import { SLOT_SIZE } from '../recorder/sink.js'
import {
  ASLEEP,
  AWAKE,
  allocate,
  NEXT_THREAD,
  renew,
  STATE,
  type ThreadMemory,
  WAKE,
} from '../ring/layout.js'
import type { Ring } from '../ring/ring.js'

/** Open spans of one thread that are tracked. */
export const SLOTS = 4096

/** Memories of threads that are gone which are kept for the next ones. */
const MOST_LEFT = 16

export interface ThreadRelayOptions extends Connection {
  /** This thread's number. */
  readonly thread: number
  /** Bytes of a ring. */
  readonly ringSize: number
}

export abstract class ThreadRelay {
  readonly control: Int32Array
  protected readonly options: ThreadRelayOptions
  /** Of threads that this one has made, and that are gone. */
  private readonly left: ThreadMemory[] = []

  constructor(options: ThreadRelayOptions) {
    this.options = options
    this.control = new Int32Array(options.control)
  }

  /** What connects other threads and descendants with this process. */
  get connection(): Connection {
    const { control, channel, link } = this.options
    return { control, anchor: clockAnchor(), channel, link }
  }

  /** The exporting ancestor's folder, to which the descendants of this process write as well. */
  get link(): string | undefined {
    return this.options.link
  }

  /** Descendants that are started from now on may write into this folder. */
  follow(folder: string): void {
    this.announce({ type: 'folder', path: folder })
  }

  /** Tells the collector. */
  protected abstract announce(message: CollectorMessage): void

  /** This thread's ring, at the first span; undefined where there is no shared memory. */
  abstract ring(): Ring | undefined

  /** Memory for a thread that is about to be made; undefined where there is no shared memory. */
  openThread(): Handoff | undefined {
    const memory = this.leftMemory() ?? allocate(this.options.ringSize, SLOTS, SLOT_SIZE)
    if (memory === undefined) return undefined
    return { thread: Atomics.add(this.control, NEXT_THREAD, 1), memory, ...this.connection }
  }

  private leftMemory(): ThreadMemory | undefined {
    const at = this.left.findIndex((memory) => renew(memory, SLOT_SIZE))
    return at === -1 ? undefined : this.left.splice(at, 1)[0]
  }

  /** The thread exists. */
  threadCreated({ thread, memory }: Handoff): void {
    this.announce({ type: 'thread', entry: { thread, parent: this.options.thread, memory } })
  }

  /**
   * The thread is gone.
   * @param reason One line: how it ended.
   */
  threadEnded({ thread, memory }: Handoff, reason: string): void {
    if (this.left.push(memory) > MOST_LEFT) this.left.shift()
    this.announce({ type: 'ended', thread, reason, time: unixNano(now()) })
  }

  /** A block of this thread's cells, in which it measures. */
  cells(block: SharedArrayBuffer, index: number): void {
    this.announce({ type: 'cells', thread: this.options.thread, index, block })
  }

  /** A child process is gone; what it left open is closed. */
  childEnded(pid: number, reason: string): void {
    this.announce({ type: 'child-ended', pid, reason, time: unixNano(now()) })
  }

  /** Wakes a collector that sleeps, and makes one that waits look at once. */
  protected nudge(): void {
    Atomics.compareExchange(this.control, STATE, ASLEEP, AWAKE)
    Atomics.add(this.control, WAKE, 1)
    Atomics.notify(this.control, WAKE)
  }
}
