/** The relay of a process's main thread: it owns the collector thread, and waits for it at the end. */
import { BroadcastChannel, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { readConfig } from '../config/config.js'
import { resourceAttributes } from '../config/resource.js'
import { startClock } from '../core/clock.js'
import { debug, warnOnce } from '../core/log.js'
import { encodeResource } from '../otlp/encode.js'
import { type CollectorProgram, openCollector } from './collector-thread.js'
import {
  ABSENT,
  AWAKE,
  CONTROL_BYTES,
  FLUSH_DONE,
  FLUSH_WANTED,
  HEAD,
  NEXT_THREAD,
  READY,
  SEALED,
  STATE,
  WAKE,
} from './layout.js'
import { isTrusted } from './link-owner.js'
import type { CollectorMessage, CollectorStart, Handoff, ThreadEntry } from './messages.js'
import { OwnLink } from './own-link.js'
import { Ring } from './ring.js'
import { ThreadRelay } from './thread.js'

export interface ProcessRelayOptions extends CollectorProgram {
  readonly ringSize: number
  /** Milliseconds that the end of the process waits for the last export at most. */
  readonly exitTimeout: number
  /** Clock anchor of the parent process. */
  readonly anchor: bigint | undefined
  /** The exporting ancestor's folder, not trusted yet; undefined where this process exports. */
  readonly link: string | undefined
  /** The program's file. */
  readonly main: string | undefined
  /** Calls a function in no context of the application's. */
  readonly outside: <T>(fn: () => T) => T
}

/** Milliseconds by which the collector must have given up before the main thread stops waiting for it. */
const MARGIN = 100
/** Milliseconds that starting the collector may take at the end, beside the time for the export. */
const START = 1000
/** Collectors that a process has in its life, should they fail. */
const LIVES = 2

export class ProcessRelay extends ThreadRelay {
  readonly anchor: bigint
  private own: Ring | undefined
  private readonly ownLink: OwnLink | undefined
  private collector: Worker | undefined
  private lives = LIVES
  private pending: CollectorMessage[] = []
  /** What a new collector would have to know. */
  private readonly threads = new Map<number, ThreadEntry>()
  private readonly folders = new Set<string>()
  private finished = false
  private channel: BroadcastChannel | undefined

  constructor(private readonly setup: ProcessRelayOptions) {
    const control = new SharedArrayBuffer(CONTROL_BYTES)
    const anchor = startClock(setup.anchor)
    const channel = `threadspan:${process.pid}:${Math.random().toString(36).slice(2)}`
    const link = setup.link !== undefined && isTrusted(setup.link) ? setup.link : undefined
    if (link !== setup.link) debug('link: %s is not a folder of this user alone', setup.link)
    super({ control, anchor, channel, thread: 0, ringSize: setup.ringSize, link })
    this.anchor = anchor
    Atomics.store(this.control, STATE, ABSENT)
    Atomics.store(this.control, NEXT_THREAD, 1)
    if (link !== undefined)
      this.ownLink = new OwnLink(
        link,
        () => ownResource(setup),
        () => this.startCollector(),
        () => {
          this.startCollector()
          this.handOver()
        },
      )
  }

  ring(): Ring | undefined {
    if (this.own !== undefined) return this.own
    const handoff = this.openThread()
    if (handoff === undefined) return undefined
    const entry = { thread: 0, parent: -1, memory: handoff.memory }
    this.own = new Ring(handoff.memory, this.control, () => this.woken())
    if (this.ownLink === undefined || this.collector !== undefined) this.announce({ type: 'thread', entry })
    else this.ownLink.read(entry, this.own)
    return this.own
  }

  /** Something was written, and the collector is asleep, absent, or ready for this thread's ring. */
  private woken(): void {
    if (this.ownLink?.isReading === true) {
      if (Atomics.load(this.control, STATE) === READY) this.handOver()
      else this.ownLink.drain()
    } else if (this.collector !== undefined) this.nudge()
    else this.startCollector()
  }

  /** The collector reads this thread's ring from now on. */
  private handOver(): void {
    const entry = this.ownLink?.handOver()
    if (entry === undefined) return
    this.announce({ type: 'thread', entry })
    Atomics.store(this.control, STATE, AWAKE)
  }

  protected announce(message: CollectorMessage): void {
    this.note(message)
    if (this.collector !== undefined) {
      this.collector.postMessage(message)
      this.nudge()
    } else if (message.type === 'child-ended' && this.ownLink !== undefined) {
      this.ownLink.childEnded(message.pid, message.reason, message.time)
    } else {
      this.pending.push(message)
    }
    // From now on there is a thread that may have something to say.
    if (message.type === 'thread' && message.entry.parent >= 0) this.listen()
    // What descendants write is read from now on, whether this process has spans of its own or not.
    if (message.type === 'folder') this.startCollector()
  }

  private note(message: CollectorMessage): void {
    switch (message.type) {
      case 'thread':
        this.threads.set(message.entry.thread, message.entry)
        if (this.lives === 0) seal(message.entry)
        break
      case 'ended':
        this.threads.delete(message.thread)
        break
      case 'folder':
        this.folders.add(message.path)
        break
    }
  }

  /** Threads that a collector does not read any more must not wait for one. */
  override openThread(): Handoff | undefined {
    const handoff = super.openThread()
    if (handoff !== undefined && this.lives === 0) seal(handoff)
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
      if (this.ownLink !== undefined) this.startCollector()
      this.awaitWriters()
    }
  }

  /** Starts a collector when another thread asks for one. */
  private awaitWriters(): void {
    if (this.collector !== undefined || this.finished) return
    const wait = Atomics.waitAsync(this.control, WAKE, Atomics.load(this.control, WAKE))
    if (wait.async) void wait.value.then(() => this.startCollector())
    else this.startCollector()
  }

  private receiveAll(): void {
    if (this.channel === undefined) return
    // Receiving works on BroadcastChannels as on ports; the type definitions know only of ports.
    const port = this.channel as unknown as Parameters<typeof receiveMessageOnPort>[0]
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      this.announce(next.message as CollectorMessage)
  }

  private startCollector(): void {
    if (this.collector !== undefined || this.finished || this.lives === 0) return
    const isAwaited = this.ownLink?.isReading === true
    const { anchor, control, channel, link } = this.options
    const start: CollectorStart = {
      control,
      anchor,
      channel,
      messages: this.pending,
      link,
      isAwaited,
      main: this.setup.main,
    }
    this.pending = []
    try {
      this.collector = this.setup.outside(() =>
        openCollector(this.setup, start, {
          ready: () => this.handOver(),
          ended: (failure) => this.collectorEnded(failure),
        }),
      )
      if (!isAwaited) Atomics.store(this.control, STATE, AWAKE)
    } catch (error) {
      debug('collector could not be started: %s', error)
      this.lives = 1
      this.collectorEnded(error)
    }
  }

  /** The collector has died: another one goes on with the rings as they are, or nothing is recorded from now on. */
  private collectorEnded(failure: unknown): void {
    if (this.finished) return
    const reason = failure instanceof Error ? failure.message : String(failure ?? 'for no reason it told')
    debug('collector failed: %s', reason)
    this.collector = undefined
    this.lives--
    Atomics.store(this.control, STATE, ABSENT)
    if (this.lives > 0) {
      this.pending = [...this.threads.values()].map((entry) => ({
        type: 'thread',
        entry: { ...entry, stream: (entry.stream ?? 0) + 1, unsent: [] },
      }))
      for (const path of this.folders) this.pending.push({ type: 'folder', path })
      this.startCollector()
      return
    }
    for (const entry of this.threads.values()) seal(entry)
    this.pending = []
    warnOnce(
      'THREADSPAN_COLLECTOR',
      `the telemetry thread has ended twice, the last time by: ${reason}. Spans are dropped from now on`,
    )
  }

  /** Whether there is, or was, anything to deliver. */
  hasSpans(): boolean {
    return (
      this.collector !== undefined ||
      this.own !== undefined ||
      this.pending.some((message) => message.type === 'thread' && hasWritten(message.entry))
    )
  }

  /**
   * The process ends: everything is delivered, and open spans are closed, before this returns; bounded in time.
   * @param reason One line: how it ends.
   */
  finish(reason: string): void {
    if (this.finished || this.lives === 0) return
    const deadline = Date.now() + this.setup.exitTimeout
    this.receiveAll()
    if (this.ownLink !== undefined) {
      const outcome = this.ownLink.finish(reason, deadline)
      if (outcome === 'failed') {
        this.startCollector()
        this.handOver()
      } else if (outcome === 'read' && this.collector === undefined) {
        this.finished = true
        return
      }
    } else if (!this.hasSpans()) return
    const fresh = this.collector === undefined
    this.startCollector()
    this.finished = true
    if (this.collector === undefined) return
    this.announce({ type: 'exit', reason, deadline })
    this.waitForFlush(deadline + MARGIN + (fresh ? START : 0))
  }

  private waitForFlush(until: number): void {
    const { control } = this
    const wanted = Atomics.add(control, FLUSH_WANTED, 1) + 1
    this.nudge()
    for (;;) {
      const done = Atomics.load(control, FLUSH_DONE)
      const left = until - Date.now()
      if (done >= wanted || left <= 0) return
      Atomics.wait(control, FLUSH_DONE, done, left)
    }
  }

  /**
   * Asks the collector to hand on what has been written until now; starts it, if there is something and no collector.
   * @returns What the control word `FLUSH_DONE` will have reached once it has; undefined where there is nothing to hand on.
   */
  requestFlush(): number | undefined {
    if (this.finished || this.lives === 0 || !this.hasSpans()) return undefined
    if (this.collector === undefined) {
      this.woken()
      if (this.collector === undefined) return undefined
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
  return encodeResource(resourceAttributes(readConfig(env).config, main))
}

/** Whether a thread has published anything. */
function hasWritten({ memory }: ThreadEntry): boolean {
  return Atomics.load(new Int32Array(memory.buffer, 0, HEAD + 1), HEAD) !== 0
}

/** Nobody reads the thread's ring any more. */
function seal({ memory }: { memory: ThreadEntry['memory'] }): void {
  Atomics.store(new Int32Array(memory.buffer, 0, SEALED + 1), SEALED, 1)
}
