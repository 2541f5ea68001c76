/**
 * The collector: one thread that reads what all threads of the process, and its descendants, have written, and takes it to
 * its destination.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { now, unixNano } from '../../core/clock.js'
import { closedSpan } from '../closed-span.js'
import { ASLEEP, AWAKE, FLUSH_DONE, FLUSH_WANTED, STATE, WAKE } from '../layout.js'
import { LinkReader, linkFiles } from '../link.js'
import type { CollectorMessage, CollectorStart, ThreadEntry } from '../messages.js'
import { type OpenSpan, type RecordTarget, RingReader } from '../reader.js'
import type { Destination, ThreadTarget } from './destination.js'

/** Milliseconds between two looks while there is something to do. */
const PACE = 10
/** Milliseconds without a span after which the collector sleeps until it is woken. */
const QUIET = 1000
/** Milliseconds between two looks at descendants' files. */
const LINK_PACE = 25

interface Source {
  readonly entry: ThreadEntry
  readonly reader: RingReader
  readonly target: ThreadTarget
}

interface Link {
  readonly reader: LinkReader
  target: ThreadTarget | undefined
}

/** Counters of all threads that ever wrote, by cause. */
export interface Losses {
  made: number
  readonly dropped: Map<string, number>
}

export class Collector {
  private readonly control: Int32Array
  private readonly threads = new Map<number, Source>()
  private readonly links = new Map<string, Link>()
  private readonly children = new Map<number, { reason: string; time: bigint }>()
  private folder: string | undefined
  private exit: { reason: string; deadline: number } | undefined
  private active = now()
  private linksReadAt = 0
  /** Of threads that are gone. */
  private readonly past: Losses = { made: 0, dropped: new Map() }

  /**
   * @param port To the main thread.
   * @param report Called once, after the final flush.
   */
  constructor(
    start: CollectorStart,
    private readonly port: MessagePort,
    private readonly destination: Destination,
    private readonly report: (losses: Losses) => void,
  ) {
    this.control = new Int32Array(start.control)
    port.on('message', (message: CollectorMessage) => this.receive(message))
    for (const message of start.messages) this.receive(message)
  }

  private receive(message: CollectorMessage): void {
    switch (message.type) {
      case 'thread':
        this.threads.set(message.entry.thread, {
          entry: message.entry,
          reader: new RingReader(message.entry.memory),
          target: this.destination.thread(message.entry),
        })
        break
      case 'ended':
        this.end(message.thread, message.reason, message.time)
        break
      case 'folder':
        this.folder = message.path
        break
      case 'child-ended':
        this.children.set(message.pid, message)
        break
      case 'exit':
        this.exit = message
        break
    }
  }

  /** Messages that have been sent but not delivered yet. */
  private receiveAll(): void {
    for (
      let next = receiveMessageOnPort(this.port);
      next !== undefined;
      next = receiveMessageOnPort(this.port)
    )
      this.receive(next.message)
  }

  /** Runs until the process ends. */
  async run(): Promise<never> {
    const { control } = this
    for (;;) {
      const seen = Atomics.load(control, WAKE)
      Atomics.store(control, STATE, AWAKE)
      this.receiveAll()
      if (this.read() > 0) this.active = now()
      this.destination.settle()
      if (Atomics.load(control, FLUSH_WANTED) !== Atomics.load(control, FLUSH_DONE)) await this.flush()
      const pause = this.pause()
      if (pause === Number.POSITIVE_INFINITY) {
        Atomics.store(control, STATE, ASLEEP)
        // What was written before the state could be seen would wake nobody.
        if (this.waiting()) continue
      }
      const wait = Atomics.waitAsync(control, WAKE, seen, pause)
      if (wait.async) await wait.value
    }
  }

  private pause(): number {
    if (now() - this.active < QUIET) return PACE
    const due = Math.max(PACE, this.destination.due)
    return this.folder === undefined ? due : Math.min(due, LINK_PACE)
  }

  private waiting(): boolean {
    for (const { reader } of this.threads.values()) if (reader.waiting > 0) return true
    return false
  }

  /** Reads all rings and, at their own pace, all links. */
  private read(final = false): number {
    let count = 0
    for (const { reader, target } of this.threads.values()) {
      count += reader.drain(target)
      target.open?.(reader.open())
    }
    if (
      this.folder !== undefined &&
      (final || now() - this.linksReadAt >= LINK_PACE || this.children.size > 0)
    ) {
      this.linksReadAt = now()
      count += this.readLinks(this.folder)
    }
    return count
  }

  private readLinks(folder: string): number {
    let count = 0
    for (const path of linkFiles(folder)) {
      if (!this.links.has(path)) this.openLink(path)
    }
    // The ends are taken before the files are read: nothing is appended after them.
    const ended = new Map(this.children)
    for (const [path, link] of this.links) {
      if (link.reader.read()) count++
      const end = ended.get(link.reader.pid)
      if (end === undefined) continue
      this.close(link.reader.takeOpen(), link.reader.output, end.reason, end.time)
      link.target?.end()
      link.reader.close()
      this.links.delete(path)
    }
    for (const pid of ended.keys()) this.children.delete(pid)
    return count
  }

  private openLink(path: string): void {
    try {
      const link: Link = {
        target: undefined,
        reader: new LinkReader(path, (resource) => {
          link.target = this.destination.process!(resource)
          return link.target
        }),
      }
      this.links.set(path, link)
    } catch {
      // Gone already; its writer tidied up.
    }
  }

  /** A thread is gone: what it left is read, what it left open is closed, and so for the threads that it made. */
  private end(thread: number, reason: string, time: bigint): void {
    const source = this.threads.get(thread)
    if (source === undefined) return
    for (const { entry } of [...this.threads.values()]) {
      if (entry.parent === thread) this.end(entry.thread, reason, time)
    }
    const { reader, target } = source
    reader.drain(target)
    this.close(reader.open(), target, reason, time)
    target.end()
    account(this.past, reader)
    this.threads.delete(thread)
    this.active = now()
  }

  private close(
    open: Iterable<OpenSpan>,
    target: RecordTarget | undefined,
    reason: string,
    time: bigint,
  ): void {
    for (const { scope, start } of open) target?.spans(scope, closedSpan(start, time, reason), 1)
  }

  private async flush(): Promise<void> {
    const wanted = Atomics.load(this.control, FLUSH_WANTED)
    this.receiveAll()
    const { exit } = this
    if (exit === undefined) {
      this.read(true)
      await this.destination.flush(Date.now() + 30_000, false)
    } else {
      await this.finish(exit)
    }
    Atomics.store(this.control, FLUSH_DONE, wanted)
    Atomics.notify(this.control, FLUSH_DONE)
  }

  private async finish({ reason, deadline }: { reason: string; deadline: number }): Promise<void> {
    this.exit = undefined
    this.read(true)
    const time = unixNano(now())
    for (const { reader } of this.threads.values()) reader.seal()
    const losses: Losses = { made: this.past.made, dropped: new Map(this.past.dropped) }
    for (const { reader, target } of this.threads.values()) {
      reader.drain(target)
      this.close(reader.open(), target, reason, time)
      account(losses, reader)
    }
    await this.destination.flush(deadline, true)
    const { dropped } = this.destination.accounts
    for (const [cause, count] of dropped) losses.dropped.set(cause, (losses.dropped.get(cause) ?? 0) + count)
    this.report(losses)
  }
}

function account(losses: Losses, reader: RingReader): void {
  const { written, ringFull, tooLarge } = reader.counters
  losses.made += written + ringFull + tooLarge
  if (ringFull > 0) losses.dropped.set('ring-full', (losses.dropped.get('ring-full') ?? 0) + ringFull)
  if (tooLarge > 0) losses.dropped.set('too-large', (losses.dropped.get('too-large') ?? 0) + tooLarge)
}
