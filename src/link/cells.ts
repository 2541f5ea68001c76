/** What a descendant measures, in a link: written there whenever it has changed, as it is then, so that the last record of each holds. */
import type { CellSource, CellTarget } from '../metrics/cells.js'
import { LINK_CELLS, LINK_INSTRUMENT, LINK_SERIES } from './format.js'
import type { LinkWriter } from './writer.js'

/** Bounds of what one process may say. */
const MOST_THREADS = 4096
const MOST_SERIES = 100_000
const MOST_CELLS = 2048
const SERIES_HEAD = 16

interface Series {
  readonly instrument: number
  readonly attributes: Uint8Array
  /** The thread's own, as long as it runs. */
  cells: Float64Array
  readonly sent: Float64Array
}

/** A thread that measures or has measured, and what was written of it. */
interface Measured {
  /** Undefined once the thread is gone. */
  source: CellSource | undefined
  readonly instruments: [number: number, descriptor: Uint8Array][]
  readonly series: Series[]
}

/** The writing side, of one process. */
export class CellLink {
  private readonly threads = new Map<number, Measured>()
  private readonly running = new Set<Measured>()

  /** Whether no thread that runs measures. */
  get isEmpty(): boolean {
    return this.running.size === 0
  }

  add(thread: number, source: CellSource): void {
    const measured: Measured = { source, instruments: [], series: [] }
    this.threads.set(thread, measured)
    this.running.add(measured)
  }

  /** The thread is gone; what it has measured was written. */
  remove(thread: number): void {
    const measured = this.threads.get(thread)
    if (measured === undefined) return
    this.running.delete(measured)
    measured.source = undefined
    // Its memory is not held on to.
    for (const one of measured.series) one.cells = one.sent
    // Nobody reads of more.
    if (thread >= MOST_THREADS || measured.series.length === 0) this.threads.delete(thread)
  }

  /** All that are measured in, for another way: they are handed on from the beginning. */
  take(): [thread: number, source: CellSource][] {
    const sources: [number, CellSource][] = []
    for (const [thread, { source }] of this.threads) if (source !== undefined) sources.push([thread, source])
    for (const [, source] of sources) source.rewind?.()
    this.threads.clear()
    this.running.clear()
    return sources
  }

  /** Writes all that was ever written, as it is now: for a file that takes the place of the one before. */
  writeAll(writer: LinkWriter): void {
    for (const [thread, { instruments, series }] of this.threads) {
      for (const [number, descriptor] of instruments)
        writer.record(LINK_INSTRUMENT, words(thread, number), descriptor)
      for (const [i, one] of series.entries()) writeSeries(writer, thread, i, one)
    }
  }

  /** Writes what has come and changed; the writer has it written by `flush`. @returns Whether there was anything. */
  write(writer: LinkWriter): boolean {
    let hasAny = false
    for (const [thread, { source, instruments, series }] of this.threads) {
      if (source === undefined) continue
      source.read({
        instrument(number, descriptor) {
          instruments.push([number, descriptor])
          writer.record(LINK_INSTRUMENT, words(thread, number), descriptor)
          hasAny = true
        },
        series(instrument, attributes, cells) {
          const one = { instrument, attributes, cells, sent: Float64Array.from(cells) }
          writeSeries(writer, thread, series.push(one) - 1, one)
          hasAny = true
        },
      })
      series.forEach(({ cells, sent }, i) => {
        if (cells.every((value, at) => value === sent[at])) return
        sent.set(cells)
        writer.record(LINK_CELLS, words(thread, i), bytesOf(Float64Array.from(sent)))
        hasAny = true
      })
    }
    return hasAny
  }
}

function writeSeries(writer: LinkWriter, thread: number, number: number, series: Series): void {
  const { instrument, attributes, sent } = series
  const head = words(thread, number, instrument, attributes.length)
  const padding = new Uint8Array(-attributes.length & 3)
  writer.record(LINK_SERIES, head, attributes, padding, bytesOf(Float64Array.from(sent)))
}

function words(...numbers: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * numbers.length)
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number >>> 0, 4 * i)
  return bytes
}

function bytesOf(cells: Float64Array): Uint8Array {
  return new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength)
}

/** One thread of a descendant. */
class LinkedThread {
  readonly series: Float64Array[] = []
  readonly instruments = new Set<number>()
  private pending: ((target: CellTarget) => void)[] = []

  define(hand: (target: CellTarget) => void): void {
    this.pending.push(hand)
  }

  read(target: CellTarget): void {
    for (const hand of this.pending.splice(0)) hand(target)
  }
}

/** The reading side, for one process, whose files share it. Whatever they hold, it is bounded and does not throw. */
export class LinkedCells implements CellSource {
  private readonly threads = new Map<number, LinkedThread>()
  private count = 0
  /** Not told. */
  readonly round = undefined

  /** Instruments are numbered in each thread anew; here they are one source. */
  read(target: CellTarget): void {
    for (const [thread, linked] of this.threads) {
      const own = (number: number): number => thread * MOST_SERIES + number
      linked.read({
        instrument: (number, descriptor) => target.instrument(own(number), descriptor),
        series: (number, attributes, cells) => target.series(own(number), attributes, cells),
      })
    }
  }

  /** @returns Whether the record is one. */
  record(type: number, body: Buffer): boolean {
    if (body.length < 8) return false
    const thread = this.threadOf(body.readUInt32LE(0))
    const number = body.readUInt32LE(4)
    // More than a program can have meant: what comes then is not looked at.
    if (thread === undefined || number >= MOST_SERIES) return true
    switch (type) {
      case LINK_INSTRUMENT: {
        // Each of the process's files says it.
        if (thread.instruments.has(number)) return true
        thread.instruments.add(number)
        const descriptor = Uint8Array.from(body.subarray(8))
        thread.define((target) => target.instrument(number, descriptor))
        return true
      }
      case LINK_SERIES:
        return this.series(thread, number, body)
      case LINK_CELLS: {
        const cells = thread.series[number]
        const values = cellsIn(body, 8)
        if (values === undefined || (cells !== undefined && cells.length !== values.length)) return false
        cells?.set(values)
        return true
      }
      default:
        return false
    }
  }

  private series(thread: LinkedThread, number: number, body: Buffer): boolean {
    if (body.length < SERIES_HEAD) return false
    const instrument = body.readUInt32LE(8)
    const length = body.readUInt32LE(12)
    // Before it is rounded up: a length can be anything.
    const at = length > body.length ? Number.POSITIVE_INFINITY : SERIES_HEAD + ((length + 3) & ~3)
    const cells = at > body.length ? undefined : cellsIn(body, at)
    if (cells === undefined) return false
    const known = thread.series[number]
    if (known !== undefined) {
      // Another reader of the thread's memory goes on in a file of its own, and says it anew.
      if (known.length !== cells.length) return false
      known.set(cells)
      return true
    }
    if (instrument >= MOST_SERIES || this.count++ >= MOST_SERIES) return true
    const attributes = Uint8Array.from(body.subarray(SERIES_HEAD, SERIES_HEAD + length))
    thread.series[number] = cells
    thread.define((target) => target.series(instrument, attributes, cells))
    return true
  }

  private threadOf(number: number): LinkedThread | undefined {
    let thread = this.threads.get(number)
    if (thread === undefined && number < MOST_THREADS && this.threads.size < MOST_THREADS) {
      thread = new LinkedThread()
      this.threads.set(number, thread)
    }
    return thread
  }
}

function cellsIn(body: Buffer, at: number): Float64Array | undefined {
  const size = body.length - at
  if (size < 8 || (size & 7) !== 0 || size > 8 * MOST_CELLS) return undefined
  const cells = new Float64Array(size >> 3)
  for (let i = 0; i < cells.length; i++) cells[i] = body.readDoubleLE(at + 8 * i)
  return cells
}
