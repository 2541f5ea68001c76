/** The relay of a Worker. Apart from what main threads share with it. */
import { BroadcastChannel } from 'node:worker_threads'
import type { CollectorMessage, Connection, Handoff } from '../link/messages.js'
import { SLOT_SIZE } from '../recorder/sink.js'
import { allocate, NEXT_THREAD } from '../ring/layout.js'
import { Ring } from '../ring/ring.js'
import { SLOTS, ThreadRelay } from './thread-relay.js'

/** The relay of a worker thread. */
export class WorkerRelay extends ThreadRelay {
  private own: Ring | undefined
  private broadcast: BroadcastChannel | undefined

  constructor(
    private readonly handoff: Handoff,
    ringSize: number,
  ) {
    super({ ...handoff, ringSize })
  }

  /** The relay of a thread whose maker knew nothing of it: it makes its memory itself. */
  static join(connection: Connection, ringSize: number): WorkerRelay | undefined {
    const memory = allocate(ringSize, SLOTS, SLOT_SIZE)
    if (memory === undefined) return undefined
    const thread = Atomics.add(new Int32Array(connection.control), NEXT_THREAD, 1)
    const relay = new WorkerRelay({ ...connection, thread, memory }, ringSize)
    relay.announce({ type: 'thread', entry: { thread, parent: 0, memory } })
    return relay
  }

  ring(): Ring {
    this.own ??= new Ring(this.handoff.memory, this.control, () => this.nudge())
    return this.own
  }

  /** By way of the main thread, which may have to start the collector first. */
  protected announce(message: CollectorMessage): void {
    if (this.broadcast === undefined) {
      this.broadcast = new BroadcastChannel(this.options.channel)
      // The type definitions lag behind.
      ;(this.broadcast as unknown as { unref(): void }).unref()
    }
    this.broadcast.postMessage(message)
    this.nudge()
  }
}
