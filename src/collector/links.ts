import { readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { now, unixNano } from '../core/clock.js'
import { LinkedCells } from '../link/cells.js'
import { LEFT_SUFFIX, LINK_SUFFIX } from '../link/format.js'
import { isAlive } from '../link/liveness.js'
import { announceLeaving, isTrusted, leave, sweepSignals } from '../link/owner.js'
import { isDenied, LinkReader, type OpenSpans } from '../link/reader.js'
import type { MergedSource } from '../metrics/merged.js'
import { closedSpan } from '../ring/closed-span.js'
import type { Signal } from '../ring/reader.js'
import type { Destination, ThreadTarget } from './destination.js'

/** Milliseconds between two looks at whether writers whose end nobody told of still run. */
const LIVENESS = 1000
/** Milliseconds between two looks for signals that processes have left behind. */
const SWEEP = 60_000
/** Files that are read at once; more wait for their turn, which comes at the end of the process at the latest. */
const MAX_FILES = 16_384
/** Files that hold a descriptor between two readings: those are the process's, which may have few. */
const MAX_HELD = 4
/** Ends of processes that are kept in mind until the next reading. */
const MAX_ENDS = 4096
const UNTOLD = 'process is gone'

interface End {
  readonly reason: string
  readonly time: bigint
}

interface Link {
  readonly reader: LinkReader
  target: ThreadTarget | undefined
}

/** A descendant with the files that it has made: one for each of its threads, and for each of their readers. */
interface Descendant {
  readonly pid: number
  links: Link[]
  readonly open: OpenSpans
  /** What it is. */
  resource: Uint8Array | undefined
  /** What it measures in, once it does. */
  cells: LinkedCells | undefined
  measures: MergedSource | undefined
  /** Set once it was found dead without notice; taken for true at the second look. */
  suspected: End | undefined
}

/** The files of descendants in one folder, which this process owns. */
export class Links {
  private readonly paths = new Set<string>()
  private readonly running = new Map<number, Descendant>()
  /** Of descendants that are gone; kept until everything was delivered. */
  private readonly ended = new Set<Link>()
  private ends = new Map<number, End>()
  /** Files that may not be read, or for which there was no descriptor; and whether the folder is such a one. */
  private readonly denied = new Set<string>()
  /** Files that their writers have found another way than. */
  private readonly left = new Set<string>()
  private isClosed = false
  private checkedAt = now()
  private sweptAt = now()

  constructor(
    readonly folder: string,
    private readonly destination: Pick<Destination, 'process' | 'lost'> &
      Partial<Pick<Destination, 'measures'>>,
  ) {}

  /** A process has ended. */
  childEnded(pid: number, reason: string, time: bigint): void {
    if (this.ends.size < MAX_ENDS) this.ends.set(pid, { reason, time })
  }

  /**
   * Reads what was appended, and closes what ended processes left open.
   * @param all Everything, and without waiting for notices of ends; else a few megabytes of each.
   * @returns How many files had something.
   */
  read(all = false): number {
    if (!all) return this.visit(false)
    let count = 0
    // One process's file may tell of another's end, which is believed before what the process table says.
    do count += this.visit(true)
    while (this.ends.size > 0)
    return count + this.visit(true, true)
  }

  /** @param isLast Whether processes that are gone are taken for ended though nobody told of it. */
  private visit(all: boolean, isLast = false): number {
    // Ends are taken before the files are looked for and read: nothing is made or appended after them.
    const { ends } = this
    this.ends = new Map()
    this.discover(all)
    const isDue = all ? isLast : now() - this.checkedAt >= LIVENESS
    if (isDue) this.checkedAt = now()
    if (now() - this.sweptAt >= SWEEP) {
      this.sweptAt = now()
      sweepSignals(this.folder, Date.now())
    }
    let count = 0
    let held = 0
    for (const descendant of [...this.running.values()]) {
      const end = ends.get(descendant.pid) ?? (isDue ? untold(descendant, isLast) : undefined)
      let isWhole = true
      for (const { reader } of descendant.links) {
        if (reader.read(all || end !== undefined)) count++
        // The end takes one file after the other: there may be one descriptor left.
        if (all || held >= MAX_HELD) reader.rest()
        else if (reader.isHeld) held++
        isWhole = !reader.isBehind
        // What another file continues is read before that.
        if (!isWhole && !all) break
      }
      if (end === undefined) this.retire(descendant)
      // Else there is no descriptor just now.
      else if (isWhole || all) this.end(descendant, end)
      else this.ends.set(descendant.pid, end)
    }
    return count
  }

  /** Files that their writer is done with are removed as soon as they are delivered. */
  private retire(descendant: Descendant): void {
    const { links, open } = descendant
    const done = links.filter(({ reader }) => reader.isDone || this.isLeft(reader))
    if (done.length === 0) return
    // What is open is closed by the last file that tells of it, which is not this one for long.
    const needed = new Set<LinkReader>()
    for (const [id, { reader }] of open) {
      if (this.isLeft(reader)) open.delete(id)
      else needed.add(reader)
    }
    for (const link of done) if (!needed.has(link.reader)) this.finish(link)
    descendant.links = links.filter((link) => !this.ended.has(link))
  }

  /** Whether it was read to its end after its writer had left it: what was open in it ends elsewhere. */
  private isLeft(reader: LinkReader): boolean {
    return this.left.has(nameOf(reader.file)) && !reader.isBehind && !reader.isBroken
  }

  private finish(link: Link): void {
    link.target?.end()
    link.reader.rest()
    this.ended.add(link)
  }

  /** In the order of their names: a later reader's file comes behind the one that it continues. */
  private discover(isLast: boolean): void {
    for (const file of this.files()) {
      if (this.paths.size >= MAX_FILES && !isLast) return
      if (file.endsWith(LEFT_SUFFIX)) this.left.add(nameOf(file))
      // Without a descriptor none of those behind it is opened either: it may continue this one.
      if (!this.paths.has(nameOf(file)) && !this.open(file, isLast) && !isLast) return
    }
  }

  private files(): string[] {
    try {
      const files = readdirSync(this.folder)
      this.isClosed = false
      return files.filter((file) => nameOf(file).endsWith(LINK_SUFFIX)).sort()
    } catch (error) {
      this.isClosed = isDenied(error)
      return []
    }
  }

  /**
   * @param isLast Whether its process ends: what is opened then is read at once, and takes no descriptor from the next one.
   * @returns False where there is no descriptor.
   */
  private open(file: string, isLast: boolean): boolean {
    const pid = Number.parseInt(file, 10)
    const descendant: Descendant = this.running.get(pid) ?? {
      pid,
      links: [],
      open: new Map(),
      resource: undefined,
      cells: undefined,
      measures: undefined,
      suspected: undefined,
    }
    let target: ThreadTarget | undefined
    try {
      const events = {
        introduced: (resource: Uint8Array) => {
          descendant.resource ??= resource
          target = this.destination.process(resource)
          return target
        },
        childEnded: (child: number, reason: string, time: bigint) => this.childEnded(child, reason, time),
        lost: (cause: string, count: number, signal: Signal) => this.destination.lost(cause, count, signal),
        measured: (type: number, body: Buffer) => this.measured(descendant, type, body),
      }
      const reader = new LinkReader(join(this.folder, file), events, descendant.open)
      const link = {
        reader,
        get target() {
          return target
        },
      }
      descendant.links.push(link)
      this.running.set(pid, descendant)
      this.paths.add(nameOf(file))
      if (isLast) reader.read(true)
      // Many may have come since the last look.
      if (isLast || this.paths.size > MAX_HELD) reader.rest()
      this.denied.delete(nameOf(file))
    } catch (error) {
      // Made but not written yet, gone already, or none of ours; else there is something that nobody gets to read.
      if (isDenied(error)) this.denied.add(nameOf(file))
      return !isExhausted(error)
    }
    return true
  }

  /** What it measures is merged as long as it runs, and counts on. */
  private measured(descendant: Descendant, type: number, body: Buffer): boolean {
    const { resource } = descendant
    if (descendant.cells === undefined && resource !== undefined) {
      descendant.cells = new LinkedCells()
      descendant.measures = this.destination.measures?.(resource)?.add(descendant.cells)
    }
    return descendant.cells?.record(type, body) ?? true
  }

  private end({ pid, links, open, measures }: Descendant, { reason, time }: End): void {
    this.running.delete(pid)
    measures?.end()
    const left = new Set(links.map(({ reader }) => reader).filter((reader) => reader.isLeft))
    for (const { scope, start, reader } of open.values())
      if (!left.has(reader))
        reader.output?.spans(scope, closedSpan(start, time, reason), 1, reader.receiptAtEnd())
    for (const link of links) {
      if (link.reader.isBroken) this.destination.lost('corrupt', 1, 'spans')
      if (link.reader.isDenied) this.denied.add(nameOf(link.reader.file))
      else this.finish(link)
    }
  }

  /** Notes how far all has been delivered, and removes the files that are done with. */
  acknowledge(): void {
    for (const { links } of this.running.values()) for (const { reader } of links) reader.acknowledge()
    for (const link of this.ended) {
      if (!link.reader.isSettled) {
        link.reader.acknowledge()
        continue
      }
      link.reader.remove()
      this.ended.delete(link)
      this.paths.delete(nameOf(link.reader.file))
      this.left.delete(nameOf(link.reader.file))
    }
  }

  /** From now on descendants look for an heir. */
  announceLeaving(): void {
    announceLeaving(this.folder)
  }

  /** After the last delivery: what living descendants have yet to say is their own. */
  leave(): void {
    // An heir's own files: what was open in them is in its rings.
    const own = this.running.get(process.pid)
    for (const link of own?.links ?? []) this.ended.add(link)
    this.running.delete(process.pid)
    this.acknowledge()
    for (const { links } of this.running.values())
      for (const { reader } of links) {
        reader.rest()
        if (reader.isDenied) this.denied.add(nameOf(reader.file))
      }
    // How many spans they hold is not known: one at least.
    const unread = this.denied.size + (this.isClosed ? 1 : 0)
    if (unread > 0) this.destination.lost('unread', unread, 'spans')
    if (!isTrusted(this.folder)) return
    for (const file of this.files()) {
      // Made by a process that was killed before it wrote.
      if (!this.paths.has(nameOf(file)) && !isAlive(String(Number.parseInt(file, 10))))
        remove(join(this.folder, file))
    }
    leave(this.folder)
  }
}

/** Whether it is for want of descriptors. */
function isExhausted(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** A file's name, whatever has become of it. */
function nameOf(file: string): string {
  return file.endsWith(LEFT_SUFFIX) ? file.slice(0, -LEFT_SUFFIX.length) : file
}

/** The end of a process that nobody has told of: its parent is gone, or no program of ours. */
function untold(descendant: Descendant, isLast: boolean): End | undefined {
  if (isAlive(String(descendant.pid))) return undefined
  const isSure = isLast || descendant.suspected !== undefined
  descendant.suspected ??= { reason: UNTOLD, time: unixNano(now()) }
  return isSure ? descendant.suspected : undefined
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already.
  }
}
