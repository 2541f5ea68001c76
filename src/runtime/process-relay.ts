/** The relay of a process's main thread: it owns the collector thread, and waits for it at the end. */
import { BroadcastChannel, receiveMessageOnPort } from 'node:worker_threads'
import type * as Delivering from '../collector/direct-delivery.js'
import type * as Unheard from '../collector/unheard.js'
import { isCentral } from '../config/is-central.js'
import { readResourceConfig, resourceAttributes } from '../config/resource.js'
import { monotonicNow, shareClock, startClock } from '../core/clock.js'
import { randomHex } from '../core/ids.js'
import { debug } from '../core/log.js'
import type { CollectorMessage, Handoff } from '../link/messages.js'
import type { OwnCells } from '../link/own-cells.js'
import { isTrusted, isWithinReach } from '../link/owner.js'
import { hasSettings } from '../link/settings-file.js'
import { encodeResource } from '../otlp/encode.js'
import {
  ABSENT,
  AWAKE,
  CLOCK,
  CONTROL_BYTES,
  DISMISSED,
  FALLEN,
  FLUSH_DONE,
  FLUSH_WANTED,
  NEXT_THREAD,
  NOT_YET,
  NOTHING_YET,
  READY,
  SETTINGS,
  STATE,
  WAKE,
} from '../ring/layout.js'
import type { Ring } from '../ring/ring.js'
import { type ListenerChange, noteListener } from '../ring/signal-listeners.js'
import { type CollectorProgram, CollectorThread, seal } from './collector-thread.js'
import { OwnLink } from './descendant-ring.js'
import { ThreadRelay } from './thread-relay.js'

export interface ProcessRelayOptions extends CollectorProgram {
  readonly ringSize: number
  /** Milliseconds that the end of the process waits for the last export at most. */
  readonly exitTimeout: number
  /** Clock anchor of the parent process. */
  readonly anchor: bigint | undefined
  /** The exporting ancestor's folder, not trusted yet; undefined where this process exports. */
  readonly link: string | undefined
  /** As the recorder has it: handed in, so that the parts of other kinds of threads need not hold it. */
  readonly Ring: typeof Ring
  /** Loads what reads the main thread's cells. */
  readonly cells: () => OwnCells
}

/** Milliseconds by which the collector must have given up before the main thread stops waiting for it. */
const MARGIN = 100

export class ProcessRelay extends ThreadRelay {
  readonly anchor: bigint
  private own: Ring | undefined
  private readonly ownLink: OwnLink | undefined
  private readonly collector: CollectorThread
  private finished = false
  private channel: BroadcastChannel | undefined

  constructor(private readonly setup: ProcessRelayOptions) {
    const control = new SharedArrayBuffer(CONTROL_BYTES)
    const anchor = startClock(setup.anchor)
    shareClock(new Int32Array(control), CLOCK)
    const channel = `threadspan:${process.pid}:${randomHex(16)}`
    const link =
      setup.link !== undefined && isTrusted(setup.link) && isWithinReach(setup.link) ? setup.link : undefined
    if (link !== setup.link)
      debug('link: %s is not a folder of this user alone, or of another pid namespace', setup.link)
    super({ control, anchor, channel, thread: 0, ringSize: setup.ringSize, link })
    this.anchor = anchor
    Atomics.store(this.control, STATE, ABSENT)
    Atomics.store(this.control, NEXT_THREAD, 1)
    const hasCentral = link === undefined && isCentral(setup.env)
    // Before there is another thread.
    if (hasCentral || (link !== undefined && hasSettings(link)))
      Atomics.store(this.control, SETTINGS, NOTHING_YET)
    const ownLink =
      link === undefined
        ? undefined
        : new OwnLink(
            link,
            () => ownResource(setup),
            setup.cells,
            () => {
              this.collector.start()
              // What is only measured waits for no ring to be taken over.
              if (this.ownLink?.isReading === false) this.handOver()
            },
            () => {
              this.collector.start()
              this.handOver()
            },
          )
    this.ownLink = ownLink
    this.collector = new CollectorThread(setup, this.connection, {
      get isReading() {
        return ownLink?.isReading === true
      },
      ready: () => this.handOver(),
    })
    // What comes can be that the first span is to be made.
    if (hasCentral) this.collector.start()
  }

  /** There will be spans: what is to hand them on starts before, where that is this process. */
  prepare(): void {
    if (this.ownLink === undefined) this.collector.start()
  }

  ring(): Ring | undefined {
    if (this.own !== undefined) return this.own
    const handoff = this.openThread()
    if (handoff === undefined) return undefined
    const entry = { thread: 0, parent: -1, memory: handoff.memory }
    this.own = new this.setup.Ring(handoff.memory, this.control, () => this.woken())
    if (this.ownLink === undefined || this.collector.isRunning) this.announce({ type: 'thread', entry })
    else this.ownLink.read(entry, this.own)
    return this.own
  }

  /** Something was written, and the collector is asleep, absent, or ready for this thread's ring. */
  private woken(): void {
    if (this.ownLink?.isReading === true) {
      if (Atomics.load(this.control, STATE) === READY) this.handOver()
      else this.ownLink.drain()
    } else if (this.collector.isRunning) this.nudge()
    else this.collector.start()
  }

  /** The collector reads this thread's ring from now on. */
  private handOver(): void {
    const entry = this.ownLink?.handOver()
    if (entry === undefined) return
    this.announce({ type: 'thread', entry })
    Atomics.store(this.control, STATE, AWAKE)
  }

  protected announce(message: CollectorMessage): void {
    if (message.type === 'child-ended' && this.ownLink !== undefined && !this.collector.isRunning) {
      this.ownLink.childEnded(message.pid, message.reason, message.time)
    } else {
      this.collector.tell(message)
      if (this.collector.isRunning) this.nudge()
    }
    if (message.type === 'thread' && message.entry.parent >= 0) {
      this.listen()
      // A thread that is followed has something to say, in all likelihood; both start at the same time.
      this.collector.start()
    }
    if (message.type === 'cells') {
      if (this.ownLink === undefined) this.collector.start()
      else if (message.thread === 0) this.ownLink.measure(message.index, message.block)
    }
    // What descendants write is read from now on, whether this process has spans of its own or not.
    if (message.type === 'folder') this.collector.start()
  }

  /** Threads that a collector does not read any more must not wait for one. */
  override openThread(): Handoff | undefined {
    const handoff = super.openThread()
    if (handoff !== undefined && this.collector.isLost) seal(handoff)
    return handoff
  }

  /**
   * Hears of what other threads have to say: of threads that they made, and that something was written while there is no
   * collector. Costs no timer, and does not keep the process running.
   */
  listen(): void {
    if (this.channel === undefined) {
      this.channel = new BroadcastChannel(this.options.channel)
      this.channel.onmessage = (event) => this.announce((event as { data: CollectorMessage }).data)
      // The type definitions lag behind.
      ;(this.channel as unknown as { unref(): void }).unref()
      if (this.ownLink !== undefined) this.collector.start()
      this.awaitWriters()
    }
  }

  /** Starts a collector when another thread asks for one. */
  private awaitWriters(): void {
    if (this.collector.isRunning || this.finished) return
    const wait = Atomics.waitAsync(this.control, WAKE, Atomics.load(this.control, WAKE))
    if (wait.async) void wait.value.then(() => this.collector.start())
    else this.collector.start()
  }

  /** Listeners of the program's have come, heard a signal, or gone: see `signal-listeners.ts`. */
  signalListener(signal: string, change: ListenerChange): void {
    if (noteListener(this.control, signal, change) && this.collector.isRunning) this.nudge()
  }

  private receiveAll(): void {
    if (this.channel === undefined) return
    // Receiving works on BroadcastChannels as on ports; the type definitions know only of ports.
    const port = this.channel as unknown as Parameters<typeof receiveMessageOnPort>[0]
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      this.announce(next.message as CollectorMessage)
  }

  /** Whether there is, or may be, anything to deliver. */
  hasSpans(): boolean {
    return this.own !== undefined || this.collector.hasWork
  }

  /**
   * The process ends: everything is delivered, and open spans are closed, before this returns; bounded in time.
   * @param reason One line: how it ends.
   */
  finish(reason: string): void {
    if (this.finished) return
    const deadline = monotonicNow() + this.setup.exitTimeout
    if (this.collector.isLost) {
      this.finished = true
      if (!this.collector.isReplaceable || !this.deliver(reason, deadline, false)) this.tellUnheard('gone')
      return
    }
    this.receiveAll()
    if (this.ownLink !== undefined) {
      const outcome = this.ownLink.finish(reason, deadline)
      if (outcome === 'failed') {
        this.collector.start()
        this.handOver()
      } else if (outcome === 'read' && !this.collector.isRunning) {
        this.finished = true
        this.collector.close()
        return
      }
    } else if (!this.hasSpans() && this.collector.dismiss()) return
    else if (this.collector.hold()) {
      const isDone = this.deliver(reason, deadline, true)
      if (isDone) this.collector.close()
      this.collector.release(isDone ? DISMISSED : NOT_YET)
      this.finished = isDone
      if (isDone) return
    }
    this.collector.start()
    this.finished = true
    this.collector.close()
    if (!this.collector.isRunning) {
      this.tellUnheard('gone')
      return
    }
    this.announce({ type: 'exit', reason, deadline })
    if (!this.waitForFlush(deadline + MARGIN)) this.tellUnheard('late')
  }

  /** A value was measured in this thread; it would not survive this process otherwise. */
  get touched(): (() => void) | undefined {
    const { ownLink } = this
    return ownLink === undefined ? undefined : () => ownLink.touched()
  }

  /** Delivers without a collector. @returns Whether that is done. */
  private deliver(reason: string, deadline: number, hasThread: boolean): boolean {
    const { env, main } = this.setup
    try {
      const { deliverDirectly } = this.load<typeof Delivering>('delivering.cjs')
      const { control, anchor } = this.connection
      const { sources } = this.collector
      const left = deadline - monotonicNow()
      return deliverDirectly({ ...sources, control, anchor, hasThread, env, main, reason, left })
    } catch (error) {
      debug('not delivered by the main thread: %s', error)
      return false
    }
  }

  /** Says what nobody else will. */
  private tellUnheard(thread: 'late' | 'gone'): void {
    try {
      const { tellUnheard } = this.load<typeof Unheard>('unheard.cjs')
      tellUnheard(this.control, this.collector.sources.memories, this.setup.env, thread)
    } catch (error) {
      debug('not told: %s', error)
    }
  }

  /** What few processes need at their end lies in files of its own, beside the telemetry thread's program. */
  private load<T>(name: string): T {
    const { collector } = this.setup
    return process.getBuiltinModule('node:module').createRequire(collector)(`./${name}`) as T
  }

  /** @returns Whether the collector has answered. */
  private waitForFlush(until: number): boolean {
    const { control } = this
    const fallen = Atomics.load(control, FALLEN)
    const wanted = Atomics.add(control, FLUSH_WANTED, 1) + 1
    this.nudge()
    for (;;) {
      const done = Atomics.load(control, FLUSH_DONE)
      const left = until - monotonicNow()
      if (done >= wanted) return true
      if (left <= 0 || Atomics.load(control, FALLEN) !== fallen) return false
      Atomics.wait(control, FLUSH_DONE, done, left)
    }
  }

  /**
   * Asks the collector to hand on what has been written until now; starts it, if there is something and no collector.
   * @returns What the control word `FLUSH_DONE` will have reached once it has; undefined where there is nothing to hand on.
   */
  requestFlush(): number | undefined {
    if (this.finished || this.collector.isLost || !this.hasSpans()) return undefined
    if (!this.collector.isRunning) {
      this.woken()
      if (!this.collector.isRunning) return undefined
    }
    const wanted = Atomics.add(this.control, FLUSH_WANTED, 1) + 1
    this.nudge()
    return wanted
  }

  /**
   * Delivers what has been written until now.
   * @returns When the destination has answered, or after 30 seconds.
   */
  async flush(): Promise<void> {
    const { control } = this
    const wanted = this.requestFlush()
    if (wanted === undefined) return
    // A pending waitAsync does not keep the process running, and whoever awaits a flush wants it to.
    const alive = setInterval(() => {}, 1000)
    try {
      for (;;) {
        const done = Atomics.load(control, FLUSH_DONE)
        if (done >= wanted) return
        const wait = Atomics.waitAsync(control, FLUSH_DONE, done, 30_000)
        if (!wait.async) continue
        if ((await wait.value) === 'timed-out') return
      }
    } finally {
      clearInterval(alive)
    }
  }
}

/** The encoded Resource of a process that hands spans on by itself. */
function ownResource({ env, main }: ProcessRelayOptions): Uint8Array {
  return encodeResource(resourceAttributes(readResourceConfig(env), main))
}
