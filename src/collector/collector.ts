/**
 * The collector: one thread that reads what all threads of the process, and its descendants, have written, and takes it to
 * its destination.
 */
import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { monotonicNow, now, unixNano } from '../core/clock.js'
import type { CollectorMessage, CollectorStart, ThreadEntry } from '../link/messages.js'
import { sweepFolders } from '../link/owner.js'
import { ASLEEP, AWAKE, FLUSH_DONE, FLUSH_WANTED, READY, STATE, WAKE } from '../ring/layout.js'
import { RingReader } from '../ring/reader.js'
import { closeOpen, concludeThread } from './conclude.js'
import type { Destination, ThreadTarget } from './destination.js'
import { Links } from './links.js'
import { Reserve } from './reserve.js'
import type { ThreadCells } from './thread-cells.js'

/** Milliseconds without a span after which the collector sleeps until it is woken. */
const QUIET = 1000
/** Milliseconds between two looks at descendants' files. */
const LINK_PACE = 25
/** Threads that are gone, kept in mind because news of a thread can come twice, and in any order. */
const MAX_GONE = 4096
/** Milliseconds that a flush in the midst of a run may take. */
const FLUSH = 30_000

interface Source {
  readonly entry: ThreadEntry
  readonly reader: RingReader
  readonly target: ThreadTarget
}

export class Collector {
  private readonly control: Int32Array
  private readonly threads = new Map<number, Source>()
  private readonly gone = new Set<number>()
  private readonly folders = new Map<string, Links>()
  private exit: { reason: string; deadline: number } | undefined
  private active = now()
  private linksReadAt = 0
  private isFinishing = false
  private readonly reserve = new Reserve()
  /** Whether a signal is about to end the process: it does not outlive what it waits for. */
  private isLeaving = false
  private isAwaited: boolean
  private readonly broadcast: BroadcastChannel | undefined

  /**
   * @param port To the main thread, where there is one that has something to say.
   * @param cells What the process's threads measure in.
   * @param report Called once, after the final flush.
   * @param looked Called at each look at the rings.
   * @param owned Called with each folder of descendants' files that is this process's.
   */
  constructor(
    start: CollectorStart,
    private readonly port: MessagePort,
    private readonly destination: Destination,
    private readonly cells: ThreadCells,
    private readonly report: () => void,
    private readonly looked?: () => void,
    private readonly concluded?: () => void,
    private readonly owned?: (folder: string) => void,
  ) {
    this.control = new Int32Array(start.control)
    this.isAwaited = start.isAwaited
    port.on('message', (message: CollectorMessage) => this.receive(message))
    if (start.channel !== undefined) {
      // Also heard by the main thread, which may be busy for as long as it likes.
      this.broadcast = new BroadcastChannel(start.channel)
      this.broadcast.onmessage = (event) => this.receive((event as { data: CollectorMessage }).data)
    }
    for (const message of start.messages) this.receive(message)
  }

  private receive(message: CollectorMessage): void {
    switch (message.type) {
      case 'thread':
        this.begin(message.entry)
        break
      case 'ended':
        this.end(message.thread, message.reason, message.time)
        break
      case 'folder':
        this.follow(message.path)
        break
      case 'child-ended':
        this.childEnded(message.pid, message.reason, message.time)
        break
      case 'cells':
        if (this.gone.has(message.thread)) break
        this.cells.add(message.thread, message.index, message.block, (thread, source) =>
          this.destination.measure(thread, source),
        )
        break
      case 'exit':
        this.exit = message
        break
    }
  }

  /** Messages that have been sent but not delivered yet. */
  private receiveAll(): void {
    this.receiveFrom(this.port)
    this.receiveFromThreads()
  }

  private receiveFromThreads(): void {
    // Receiving works on BroadcastChannels as on ports; the type definitions know only of ports.
    if (this.broadcast !== undefined) this.receiveFrom(this.broadcast as unknown as MessagePort)
  }

  private receiveFrom(port: MessagePort): void {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      this.receive(next.message)
  }

  private follow(folder: string): void {
    if (this.folders.has(folder)) return
    if (this.folders.size === 0) {
      sweepFolders(Date.now())
      this.reserve.take()
    }
    this.folders.set(folder, new Links(folder, this.destination))
    this.owned?.(folder)
    this.destination.expectDescendants?.()
  }

  private childEnded(pid: number, reason: string, time: bigint): void {
    for (const links of this.folders.values()) links.childEnded(pid, reason, time)
    if (this.folders.size === 0) this.destination.childEnded?.(pid, reason, time)
  }

  private begin(entry: ThreadEntry): void {
    if (this.threads.has(entry.thread) || this.gone.has(entry.thread)) return
    const source = { entry, reader: new RingReader(entry.memory), target: this.destination.thread(entry) }
    this.threads.set(entry.thread, source)
    if (entry.thread === 0) this.isAwaited = false
    source.reader.tellScopes(source.target)
    if (entry.unsent !== undefined) source.target.resume?.(entry.unsent)
    this.active = now()
  }

  /** A thread is gone: what it left is read, what it left open is closed, and so for the threads that it made. */
  private end(thread: number, reason: string, time: bigint): void {
    // What it has said itself may come another way, and later, than the news of its end.
    this.receiveFromThreads()
    const source = this.threads.get(thread)
    if (source === undefined) return
    this.cells.end(thread)
    for (const { entry } of [...this.threads.values()]) {
      if (entry.parent === thread) this.end(entry.thread, reason, time)
    }
    const { reader, target } = source
    reader.drain(target)
    closeOpen(reader, reader.open(), target, reason, time)
    this.losses(reader)
    target.end()
    reader.dispose()
    this.threads.delete(thread)
    if (this.gone.size >= MAX_GONE) this.gone.delete(this.gone.values().next().value!)
    this.gone.add(thread)
    this.active = now()
  }

  private losses(reader: RingReader): void {
    for (const { signal, cause, count } of reader.takeLosses()) this.destination.lost(cause, count, signal)
  }

  /** A signal ends the process, and nothing is read from now on; or it will live on, and gets what it has delivered. */
  async deliver(signal: string, isEnd: boolean, deadline: number): Promise<void> {
    this.receiveAll()
    this.isLeaving = isEnd
    if (isEnd) return this.finish({ reason: `process killed by ${signal}`, deadline })
    this.read()
    await this.destination.flush(deadline, false)
  }

  /** Whether the process's end is being dealt with. */
  get isEnding(): boolean {
    return this.isFinishing
  }

  /** Runs until the process ends. */
  async run(): Promise<void> {
    const { control } = this
    if (this.isAwaited) this.port.postMessage('ready')
    for (;;) {
      const seen = Atomics.load(control, WAKE)
      this.tell(AWAKE)
      this.receiveAll()
      this.looked?.()
      if (this.isLeaving) return
      if (this.read() > 0) this.active = now()
      this.settle()
      if (Atomics.load(control, FLUSH_WANTED) !== Atomics.load(control, FLUSH_DONE)) await this.flush()
      const pause = this.pause()
      if (pause === Number.POSITIVE_INFINITY) {
        this.tell(ASLEEP)
        // What was written before the state could be seen would wake nobody.
        if (this.waiting()) continue
      }
      const wait = Atomics.waitAsync(control, WAKE, seen, pause)
      if (wait.async) await wait.value
    }
  }

  private tell(state: number): void {
    Atomics.store(this.control, STATE, this.isAwaited ? READY : state)
  }

  private pause(): number {
    const { due, pace } = this.destination
    const isQuiet = now() - this.active >= QUIET
    const pause = isQuiet ? Math.max(pace, due) : Math.max(1, Math.min(pace, due))
    return this.folders.size === 0 ? pause : Math.min(pause, LINK_PACE)
  }

  private waiting(): boolean {
    for (const { reader } of this.threads.values()) if (reader.waiting > 0) return true
    return false
  }

  private settle(): void {
    this.destination.settle()
    const { inherited } = this.destination
    if (inherited !== undefined) this.follow(inherited)
  }

  /** Reads all rings and, at their own pace, all links. */
  private read(): number {
    let count = 0
    for (const { reader, target } of this.threads.values()) {
      count += reader.drain(target)
      if (target.open !== undefined) {
        reader.tellScopes(target)
        target.open(reader.open())
      }
      this.losses(reader)
    }
    if (this.folders.size > 0 && now() - this.linksReadAt >= LINK_PACE) {
      this.linksReadAt = now()
      for (const links of this.folders.values()) {
        count += links.read()
        links.acknowledge()
      }
    }
    return count
  }

  private async flush(): Promise<void> {
    const wanted = Atomics.load(this.control, FLUSH_WANTED)
    this.receiveAll()
    const { exit } = this
    if (exit === undefined) {
      // Twice: what ended was perhaps found before what belongs to it.
      for (let look = 0; look < 2; look++) {
        this.read()
        for (const links of this.folders.values()) links.read()
        this.settle()
      }
      await this.destination.flush(monotonicNow() + FLUSH, false)
      for (const links of this.folders.values()) links.acknowledge()
    } else {
      this.exit = undefined
      await this.finish(exit)
      // Before the main thread goes on: it may be about to send itself a signal.
      this.concluded?.()
    }
    Atomics.store(this.control, FLUSH_DONE, wanted)
    Atomics.notify(this.control, FLUSH_DONE)
  }

  private async finish({ reason, deadline }: { reason: string; deadline: number }): Promise<void> {
    this.isFinishing = true
    this.reserve.release()
    const time = unixNano(now())
    for (const { reader, target } of this.threads.values()) {
      reader.seal()
      concludeThread(reader, target, reason, time)
      this.losses(reader)
    }
    for (const links of this.folders.values()) links.announceLeaving()
    await this.destination.conclude?.(deadline)
    const { inherited } = this.destination
    if (inherited !== undefined && !this.folders.has(inherited)) {
      this.follow(inherited)
      this.folders.get(inherited)!.announceLeaving()
    }
    for (const links of this.folders.values()) links.read(true)
    await this.destination.flush(deadline, true)
    for (const links of this.folders.values()) links.leave()
    if (this.destination.accounts !== undefined) this.report()
  }
}
