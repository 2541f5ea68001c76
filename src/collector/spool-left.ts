/** What processes that are gone have left in a spool: taken by one process, a dead one's files together, and delivered. */
import { readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LinkReader, type OpenSpans } from '../link/reader.js'
import { ProtobufReader } from '../otlp/protobuf.js'
import { closedSpan } from '../ring/closed-span.js'
import type { Signal } from '../ring/reader.js'
import type { ThreadTarget } from './destination.js'
import { COUNT, LOGS, SOCKET_SUFFIX, SPOOL_SUFFIX, type SpoolOwner, TAKEN } from './spool-owner.js'

const UNTOLD = 'process is gone'
/** In place of the suffix of a file that is of no use. */
const ASIDE = '.unreadable'
/** The tag of `Span.start_time_unix_nano`. */
const START_TIME = 0x39

export interface SpoolTargets {
  /** Takes the spans of a process that is gone. */
  process(resource: Uint8Array): ThreadTarget
  lost(cause: string, count: number, signal: Signal): void
}

interface Taken {
  readonly reader: LinkReader
  readonly output: ThreadTarget | undefined
}

export class SpoolLeft {
  /** Files, those of one dead process in one entry: what one of them says has started, another may say has ended. */
  private waiting: string[][] = []
  private current: Taken[] = []

  constructor(
    private readonly folder: string,
    private readonly owner: SpoolOwner,
    private readonly targets: SpoolTargets,
  ) {}

  /** Finds what nobody has. */
  async look(): Promise<void> {
    if (this.waiting.length > 0) return
    const groups = new Map<string, string[]>()
    const states = new Map<string, boolean>()
    const isGone = async (id: string): Promise<boolean> => {
      const known = states.get(id) ?? !(await this.owner.isAlive(id))
      states.set(id, known)
      return known
    }
    for (const file of this.list()) {
      const at = file.indexOf(SPOOL_SUFFIX + TAKEN)
      if (file.endsWith(SPOOL_SUFFIX)) groups.set(file, [file])
      else if (at >= 0) {
        const id = file.slice(at + SPOOL_SUFFIX.length + TAKEN.length)
        if (await isGone(id)) groups.set(id, [...(groups.get(id) ?? []), file])
      } else if (file.endsWith(SOCKET_SUFFIX)) await isGone(file.slice(0, -SOCKET_SUFFIX.length))
    }
    this.waiting = [...groups.values()].reverse()
  }

  private list(): string[] {
    try {
      return readdirSync(this.folder).sort()
    } catch {
      return []
    }
  }

  /** Hands over the next files, once the last ones have been delivered. */
  feed(): void {
    if (this.current.length > 0) {
      for (const { reader } of this.current) reader.acknowledge()
      if (!this.current.every(({ reader }) => reader.isSettled)) return
      for (const { reader } of this.current) reader.remove()
      this.current = []
    }
    while (this.current.length === 0 && this.waiting.length > 0) this.read(this.waiting.pop()!)
  }

  private read(files: readonly string[]): void {
    const open: OpenSpans = new Map()
    let last = 0
    for (const file of files) {
      const path = this.take(file)
      if (path === undefined) continue
      try {
        last = Math.max(last, statSync(path).mtimeMs)
        this.current.push(this.readOne(path, open))
      } catch {
        this.putAside(path)
      }
    }
    const time = BigInt(Math.ceil(last)) * 1_000_000n
    for (const { scope, start, reader } of open.values()) {
      // A file's time is that of a coarser clock.
      const begun = startOf(start)
      const end = begun > time ? begun : time
      reader.output?.spans(scope, closedSpan(start, end, UNTOLD), 1, reader.receiptAtEnd())
    }
    for (const { output } of this.current) output?.end()
  }

  private readOne(path: string, open: OpenSpans): Taken {
    let output: ThreadTarget | undefined
    const events = {
      introduced: (resource: Uint8Array) => {
        output = this.targets.process(resource)
        return output
      },
      childEnded() {},
      lost: (cause: string, count: number, signal: Signal) => this.targets.lost(cause, count, signal),
    }
    const reader = new LinkReader(path, events, open)
    reader.read(true)
    const written = writtenIn(path)
    // Of a file that its process was still writing to, the end may be torn; that is no loss.
    const missing = written === undefined ? reader.changed : Math.max(0, written - reader.whole)
    if (missing > 0 || reader.isBroken) this.targets.lost('corrupt', Math.max(1, missing), signalOf(path))
    return { reader, output }
  }

  /** A file that cannot be read, or is none of ours: it is not looked at again, and what it held is told if its name says so. */
  private putAside(path: string): void {
    const written = writtenIn(path)
    if (written !== undefined) this.targets.lost('corrupt', written, signalOf(path))
    try {
      renameSync(path, `${path.slice(0, path.indexOf(SPOOL_SUFFIX))}${ASIDE}`)
    } catch {
      // Somebody has tidied up.
    }
  }

  /** Only one process delivers a file; one that died over it leaves it to the next. */
  private take(file: string): string | undefined {
    const at = file.indexOf(TAKEN)
    const path = join(this.folder, `${at < 0 ? file : file.slice(0, at)}${TAKEN}${this.owner.id}`)
    try {
      renameSync(join(this.folder, file), path)
      return path
    } catch {
      return undefined
    }
  }

  /** What was handed over has been delivered, or kept anew. */
  close(): void {
    for (const { reader } of this.current) {
      reader.acknowledge()
      if (reader.isSettled) reader.remove()
      else reader.rest()
    }
    this.current = []
  }
}

/** What a file was written with; one that was written as it came holds both. */
function signalOf(path: string): Signal {
  return path.includes(LOGS + COUNT) ? 'logs' : 'spans'
}

/** How many spans or log records a file was written with, where its name says so. */
function writtenIn(path: string): number | undefined {
  const at = path.lastIndexOf(COUNT)
  const digits = at < 0 ? undefined : /^\d{1,9}(?=\.spool)/.exec(path.slice(at + COUNT.length))?.[0]
  return digits === undefined ? undefined : Number(digits)
}

/** `start_time_unix_nano` of an encoded span, or of its start. */
function startOf(span: Uint8Array): bigint {
  try {
    const reader = new ProtobufReader(span)
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === START_TIME) return reader.bigFixed64()
      reader.skip(tag)
    }
  } catch {
    // Its check sum has held; of another version, perhaps.
  }
  return 0n
}
