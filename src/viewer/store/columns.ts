import type { SpanScan } from './scan-span.js'

/** What a span is marked with; the first six are those of `TraceColumns.flags` in the API. */
export const Mark = {
  error: 1,
  /** Its parent has not arrived. */
  orphan: 2,
  /** Ended by the death of its thread or process: attribute `threadspan.closed`. */
  closed: 4,
  /** It is its own ancestor. */
  cycle: 8,
  /** It has an `exception` event. */
  exception: 16,
  /** It is a local root. */
  transaction: 32,
  links: 64,
  remoteParent: 128,
} as const

/** The marks that depend on the other spans of the trace. */
export const RELATIVE = Mark.orphan | Mark.cycle | Mark.transaction

/** No parent, and a parent that has not arrived, in `up`. */
export const ROOT = -1
export const MISSING = -2

const TWO_32 = 4294967296

/**
 * The upper half of nanoseconds in 1990, before which no span was made: what is earlier is unset, or the reading of a clock that counts
 * from the start of a machine.
 */
const EARLIEST = Math.floor((Date.UTC(1990) * 1e6) / TWO_32)

/**
 * The spans in columns: row i of every array is one span. Typed arrays, because a million objects of this many fields
 * would be a gigabyte of heap to collect.
 */
export class Columns {
  capacity = 4096
  spanLow = new Uint32Array(this.capacity)
  spanHigh = new Uint32Array(this.capacity)
  parentLow = new Uint32Array(this.capacity)
  parentHigh = new Uint32Array(this.capacity)
  /** Nanoseconds since the epoch, in halves. */
  startLow = new Uint32Array(this.capacity)
  startHigh = new Uint32Array(this.capacity)
  endLow = new Uint32Array(this.capacity)
  endHigh = new Uint32Array(this.capacity)
  /** Slot of the trace. */
  trace = new Uint32Array(this.capacity)
  /** Next span of the same trace in order of arrival, or -1; next free row, for a row without a span. */
  next = new Int32Array(this.capacity)
  /** Row of the parent, `ROOT` or `MISSING`: right once the trace is settled. */
  up = new Int32Array(this.capacity)
  name = new Uint32Array(this.capacity)
  lane = new Uint32Array(this.capacity)
  scope = new Uint32Array(this.capacity)
  /** Error group, 0 where it has not been looked for. */
  group = new Uint32Array(this.capacity)
  slab = new Uint16Array(this.capacity)
  offset = new Uint32Array(this.capacity)
  length = new Uint32Array(this.capacity)
  /** A bit for each key of an attribute, see `keyBit`: a span has none whose bit is not set. */
  keysLow = new Int32Array(this.capacity)
  keysHigh = new Int32Array(this.capacity)
  http = new Uint16Array(this.capacity)
  marks = new Uint8Array(this.capacity)
  kind = new Uint8Array(this.capacity)
  /** Scratch of whoever walks a trace. */
  state = new Uint8Array(this.capacity)

  /** Bytes that one row takes in all columns. */
  static readonly rowBytes = 19 * 4 + 2 * 2 + 3

  grow(capacity: number): void {
    for (const key of Object.keys(this) as (keyof this)[]) {
      const column = this[key]
      if (!ArrayBuffer.isView(column)) continue
      const typed = column as unknown as Uint32Array
      const larger = new (typed.constructor as Uint32ArrayConstructor)(capacity)
      larger.set(typed)
      this[key] = larger as never
    }
    this.capacity = capacity
  }

  /** Fills what a scan tells of a span; its relations to others are not among it. */
  take(row: number, bytes: Buffer, scan: SpanScan): void {
    const hasParent = scan.parentLength === 8
    this.parentHigh[row] = hasParent ? bytes.readUInt32BE(scan.parentAt) : 0
    this.parentLow[row] = hasParent ? bytes.readUInt32BE(scan.parentAt + 4) : 0
    this.#takeTimes(row, scan)
    this.kind[row] = scan.kind
    this.http[row] = scan.http
    this.keysLow[row] = scan.keysLow
    this.keysHigh[row] = scan.keysHigh
    this.group[row] = 0
    this.marks[row] =
      (scan.status === 2 ? Mark.error : 0) |
      (scan.closed ? Mark.closed : 0) |
      (scan.exception ? Mark.exception : 0) |
      (scan.links ? Mark.links : 0) |
      ((scan.flags & 0x300) === 0x300 ? Mark.remoteParent : 0)
  }

  /** A time that was not set would stretch every chart to 1970: the span's other time stands for it, else that of its arrival. */
  #takeTimes(row: number, { startLow, startHigh, endLow, endHigh }: SpanScan): void {
    const hasStart = startHigh >= EARLIEST
    const hasEnd = endHigh >= EARLIEST
    this.startLow[row] = startLow
    this.startHigh[row] = startHigh
    this.endLow[row] = endLow
    this.endHigh[row] = endHigh
    if (hasStart && hasEnd) return
    if (!hasStart && !hasEnd) {
      const now = BigInt(Date.now()) * 1_000_000n
      this.startLow[row] = this.endLow[row] = Number(now & 0xffffffffn)
      this.startHigh[row] = this.endHigh[row] = Number(now >> 32n)
    } else if (hasEnd) {
      this.startLow[row] = endLow
      this.startHigh[row] = endHigh
    } else {
      this.endLow[row] = startLow
      this.endHigh[row] = startHigh
    }
  }

  /** Milliseconds since the epoch. */
  start(row: number): number {
    return (this.startHigh[row]! * TWO_32 + this.startLow[row]!) / 1e6
  }

  /** Milliseconds from the start of row `origin`, exact to the nanosecond. */
  startAfter(row: number, origin: number): number {
    const high = this.startHigh[row]! - this.startHigh[origin]!
    return (high * TWO_32 + (this.startLow[row]! - this.startLow[origin]!)) / 1e6
  }

  /** Milliseconds from the start of row `origin` to the end of `row`, exact to the nanosecond. */
  endAfter(row: number, origin: number): number {
    const high = this.endHigh[row]! - this.startHigh[origin]!
    return (high * TWO_32 + (this.endLow[row]! - this.startLow[origin]!)) / 1e6
  }

  /** Milliseconds; 0 for a span that ends before it starts. */
  duration(row: number): number {
    const high = this.endHigh[row]! - this.startHigh[row]!
    return Math.max(0, (high * TWO_32 + (this.endLow[row]! - this.startLow[row]!)) / 1e6)
  }

  /** Nanoseconds since the epoch, for what must be exact. */
  startNano(row: number): bigint {
    return (BigInt(this.startHigh[row]!) << 32n) | BigInt(this.startLow[row]!)
  }

  /** 16 hexadecimal digits. */
  spanId(row: number): string {
    return hex(this.spanHigh[row]!) + hex(this.spanLow[row]!)
  }
}

/** Whether ids begin with so many hexadecimal digits: a test of their halves. */
export function idPrefix(digits: string): (high: number, low: number) => boolean {
  const bits = 4 * digits.length
  if (bits > 64) return () => false
  const first = Number.parseInt(digits.slice(0, 8), 16)
  if (bits <= 32) return (high) => high >>> (32 - bits) === first
  const rest = Number.parseInt(digits.slice(8), 16)
  return (high, low) => high === first && low >>> (64 - bits) === rest
}

function hex(half: number): string {
  return half.toString(16).padStart(8, '0')
}
