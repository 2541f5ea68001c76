/**
 * The link between processes: a file in the private folder of the process that exports, to which a descendant appends
 * what it has to say. What was written survives SIGKILL, needs no connection and no thread, and is read by position.
 *
 * It is the ring's stream (see `layout.ts`) with lengths unpadded, and two records more:
 *
 *   04 LL LL LL   the process's encoded Resource, first of all
 *   03 LL LL LL   a span has started: `NN NN` its scope, then its encoded start
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { spanIdIn } from './closed-span.js'
import { RECORD_DEFINE, RECORD_SCOPE, RECORD_SPAN } from './layout.js'
import { copyOf, lengthAt, type OpenSpan, type RecordTarget } from './reader.js'

const RECORD_OPEN = 0x03
const RECORD_RESOURCE = 0x04
const SUFFIX = '.link'
/** Bytes that are read of one file at a time. */
const READ = 1 << 20
/** A record that claims to be longer than this is none. */
const MAX_RECORD = 1 << 22
/** Open spans that are kept in mind of one process. */
const MAX_OPEN = 4096

function header(type: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE((type | (length << 8)) >>> 0)
  return bytes
}

/** The writing side, in the descendant. One for each ring that is read there. */
export class LinkWriter implements RecordTarget {
  private readonly file: number
  private current = -1
  private readonly pending: Uint8Array[] = []

  /**
   * @param folder The private folder of the exporting process.
   * @param name Tells the file from those of the process's other threads.
   * @param resource This process's encoded Resource.
   * @throws What the file system says, if the folder is gone: the exporting process has ended.
   */
  constructor(folder: string, name: string, resource: Uint8Array) {
    this.file = openSync(join(folder, `${process.pid}-${name}${SUFFIX}`), 'ax', 0o600)
    this.pending.push(header(RECORD_RESOURCE, resource.length), resource)
  }

  scope(id: number, encoded: Uint8Array, schemaUrl: string): void {
    const url = Buffer.from(schemaUrl)
    const head = Buffer.allocUnsafe(4)
    head.writeUInt16LE(id)
    head.writeUInt16LE(encoded.length, 2)
    this.pending.push(header(RECORD_DEFINE, 4 + encoded.length + url.length), head, encoded, url)
  }

  spans(scope: number, bytes: Uint8Array, _count: number): void {
    if (scope !== this.current) {
      this.current = scope
      this.pending.push(header(RECORD_SCOPE, scope))
    }
    this.pending.push(copyOf(bytes))
  }

  /** A span has started; should this process be killed, its reader closes it. */
  opened({ scope, start }: OpenSpan): void {
    const head = Buffer.allocUnsafe(2)
    head.writeUInt16LE(scope)
    this.pending.push(header(RECORD_OPEN, 2 + start.length), head, start)
  }

  /**
   * Writes what has gathered, in one call.
   * @throws What the file system says.
   */
  flush(): void {
    if (this.pending.length === 0) return
    const bytes = Buffer.concat(this.pending)
    this.pending.length = 0
    for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done)
  }

  close(): void {
    closeSync(this.file)
  }
}

/** The reading side, for one file. */
export class LinkReader {
  readonly pid: number
  private readonly file: number
  private position = 0
  private rest: Buffer = Buffer.alloc(0)
  private scope = -1
  private readonly open = new Map<string, OpenSpan>()
  private broken = false

  /** @param path A file that a LinkWriter has made. */
  constructor(
    readonly path: string,
    /** Called once, when the process has said what it is. */
    private readonly introduced: (resource: Uint8Array) => RecordTarget,
  ) {
    this.pid = Number.parseInt(path.substring(path.lastIndexOf('/') + 1), 10)
    this.file = openSync(path, 'r')
  }

  private target: RecordTarget | undefined

  /** Whether the file holds something that is no record; nothing behind it is read. */
  get isBroken(): boolean {
    return this.broken
  }

  /**
   * Reads what has been appended, whole records only.
   * @returns Whether there was anything.
   */
  read(): boolean {
    if (this.broken) return false
    let any = false
    for (;;) {
      const buffer = Buffer.allocUnsafe(
        Math.min(READ, Math.max(0, fstatSync(this.file).size - this.position)),
      )
      if (buffer.length === 0) return any
      const size = readSync(this.file, buffer, 0, buffer.length, this.position)
      if (size === 0) return any
      any = true
      this.position += size
      const bytes =
        this.rest.length > 0 ? Buffer.concat([this.rest, buffer.subarray(0, size)]) : buffer.subarray(0, size)
      this.rest = Buffer.from(bytes.subarray(this.parse(bytes)))
      if (this.broken) return any
    }
  }

  /** @returns How many bytes were whole records. */
  private parse(bytes: Buffer): number {
    let at = 0
    while (at + 4 <= bytes.length) {
      const type = bytes[at]!
      const length =
        type === RECORD_SPAN ? lengthAt(bytes, at) : type === RECORD_SCOPE ? 0 : bytes.readUIntLE(at + 1, 3)
      if (length > MAX_RECORD || (this.target === undefined && type !== RECORD_RESOURCE)) {
        this.broken = true
        return at
      }
      const end = at + 4 + length
      if (end > bytes.length) return at
      if (!this.record(type, bytes, at, end)) {
        this.broken = true
        return at
      }
      at = end
    }
    return at
  }

  private record(type: number, bytes: Buffer, at: number, end: number): boolean {
    const body = at + 4
    switch (type) {
      case RECORD_SPAN: {
        const id = spanIdIn(bytes, body, end)
        if (id === undefined || this.scope < 0) return false
        this.open.delete(id)
        this.target!.spans(this.scope, bytes.subarray(at, end), 1)
        return true
      }
      case RECORD_SCOPE:
        this.scope = bytes.readUInt16LE(at + 1)
        return true
      case RECORD_DEFINE: {
        if (end - body < 4) return false
        const size = bytes.readUInt16LE(body + 2)
        if (body + 4 + size > end) return false
        this.target!.scope(
          bytes.readUInt16LE(body),
          Uint8Array.from(bytes.subarray(body + 4, body + 4 + size)),
          bytes.toString('utf8', body + 4 + size, end),
        )
        return true
      }
      case RECORD_OPEN: {
        const id = end - body < 2 ? undefined : spanIdIn(bytes, body + 2, end)
        if (id === undefined) return false
        if (this.open.size < MAX_OPEN)
          this.open.set(id, {
            scope: bytes.readUInt16LE(body),
            start: Uint8Array.from(bytes.subarray(body + 2, end)),
          })
        return true
      }
      case RECORD_RESOURCE:
        this.target ??= this.introduced(Uint8Array.from(bytes.subarray(body, end)))
        return true
      default:
        return false
    }
  }

  /** The spans that started and did not end, and forgets them. */
  takeOpen(): OpenSpan[] {
    const open = [...this.open.values()]
    this.open.clear()
    return open
  }

  /** Where closed spans go; undefined before the process has introduced itself. */
  get output(): RecordTarget | undefined {
    return this.target
  }

  /** The file is read no more, and removed. */
  close(): void {
    closeSync(this.file)
    try {
      unlinkSync(this.path)
    } catch {
      // Somebody tidied up first.
    }
  }
}

/** The files of descendants in a folder. */
export function linkFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => join(folder, file))
}
