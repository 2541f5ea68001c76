/** What every thread needs of the relay: its own ring, and memory for the threads that it makes. */
import { clockAnchor, now, unixNano } from '../core/clock.js'
import type { CollectorMessage, Connection, Handoff } from '../link/messages.js'
import { SLOT_SIZE } from '../recorder/sink.js'
import { ASLEEP, AWAKE, allocate, NEXT_THREAD, STATE, WAKE } from '../ring/layout.js'
import type { Ring } from '../ring/ring.js'

/** Open spans of one thread that are tracked. */
export const SLOTS = 4096

export interface ThreadRelayOptions extends Connection {
  /** This thread's number. */
  readonly thread: number
  /** Bytes of a ring. */
  readonly ringSize: number
}

export abstract class ThreadRelay {
  readonly control: Int32Array
  protected readonly options: ThreadRelayOptions

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
  openThread(isLasting = false): Handoff | undefined {
    const memory = allocate(this.options.ringSize, SLOTS, SLOT_SIZE, isLasting)
    if (memory === undefined) return undefined
    return { thread: Atomics.add(this.control, NEXT_THREAD, 1), memory, ...this.connection }
  }

  /** The thread exists. */
  threadCreated({ thread, memory }: Handoff): void {
    this.announce({ type: 'thread', entry: { thread, parent: this.options.thread, memory } })
  }

  /**
   * The thread is gone.
   * @param reason One line: how it ended.
   */
  threadEnded({ thread }: Handoff, reason: string): void {
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
