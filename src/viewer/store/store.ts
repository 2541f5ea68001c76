import { decodeSpan } from '../../otlp/decode.js'
import { ProtobufReader } from '../../otlp/protobuf.js'
import type { Span } from '../../otlp/types.js'
import { Columns } from './columns.js'
import type { Ingested, Journal, Refusal, StoreLimits } from './contract.js'
import { hasIds, threadName } from './ids.js'
import { Interner } from './interner.js'
import { headerOf, Lanes } from './lanes.js'
import { type Range, scanTraces } from './scan.js'
import { type SpanScan, scanSpan } from './scan-span.js'
import { Signatures } from './signatures.js'
import { RECORD_HEADER, Slabs } from './slabs.js'
import { SpanIndex } from './span-index.js'
import { settle, Trace } from './trace.js'

/** Longest encoded span, resource and scope that is kept. A quarter of a slab, so that slabs fill well. */
export const MAX_SPAN_BYTES = 1024 * 1024

/** Memory of a span beside its record: its columns, its place in the index, and its part of a signature. */
const ROW_BYTES = Columns.rowBytes + Signatures.rowBytes + 8

/** Memory of a trace beside its spans: the object, its key and its map entry. */
const TRACE_BYTES = 320

/** The spans in memory, within bounds: the oldest traces leave first, whole, and are counted. */
export class Store {
  readonly columns = new Columns()
  readonly lanes = new Lanes()
  readonly names = new Interner<string>()
  readonly signatures = new Signatures((row) => this.scan(row))
  readonly limits: StoreLimits
  /** Traces by the latin1 form of their id, oldest first. */
  readonly traces = new Map<string, Trace>()
  readonly evicted = { traces: 0, spans: 0 }
  journal: Journal | undefined
  #spans = 0
  #free = -1
  #used = 0
  readonly #slabs = new Slabs()
  readonly #index = new SpanIndex(this.columns)
  readonly #slots: (Trace | undefined)[] = []
  readonly #freeSlots: number[] = []
  #reader: ProtobufReader | undefined
  #unsettled = new Set<Trace>()
  #changed = new Set<Trace>()

  constructor(limits: StoreLimits) {
    this.limits = limits
  }

  get spans(): number {
    return this.#spans
  }

  /** Bytes in use, by the measure of `maxBytes`. */
  get bytes(): number {
    return this.#slabs.live + this.#spans * ROW_BYTES + this.traces.size * TRACE_BYTES + this.lanes.bytes
  }

  /** Bytes taken from the system for spans and columns, holes and reserves included. */
  get allocated(): number {
    const { columns, signatures } = this
    return this.#slabs.allocated + columns.capacity * Columns.rowBytes + this.#index.bytes + signatures.bytes
  }

  /**
   * Keeps the spans of an `ExportTraceServiceRequest`.
   * @throws OtlpError `THREADSPAN_OTLP_MALFORMED`, and then nothing of it is kept.
   */
  ingest(body: Uint8Array): Ingested {
    const reader = new ProtobufReader(body)
    const groups = scanTraces(reader)
    const { bytes } = reader
    const result: Ingested = { kept: 0, refused: { 'invalid-id': 0, 'too-large': 0, duplicate: 0, full: 0 } }
    const origins: number[] = []
    const scopes: number[] = []
    const header = (message: Range, schema: Range) =>
      headerOf(bytes.subarray(message.at, message.end), bytes.subarray(schema.at, schema.end))
    try {
      // Resources and scopes are read before the first span is kept: they may be malformed.
      for (const { resource, resourceSchema, scope, scopeSchema } of groups) {
        origins.push(this.lanes.internOrigin(header(resource, resourceSchema)))
        scopes.push(this.lanes.internScope(header(scope, scopeSchema)))
      }
      for (const [i, group] of groups.entries()) {
        result.refused['invalid-id'] += group.empty
        for (const scan of group.spans) {
          const refusal = this.#insert(bytes, scan, origins[i]!, scopes[i]!)
          if (refusal === undefined) result.kept++
          else result.refused[refusal]++
        }
      }
    } finally {
      for (const origin of origins) this.lanes.releaseOrigin(origin)
      for (const scope of scopes) this.lanes.releaseScope(scope)
    }
    return result
  }

  /** The trace with this id of 32 hexadecimal digits, settled. */
  trace(id: string): Trace | undefined {
    const trace = this.traces.get(Buffer.from(id, 'hex').toString('latin1'))
    if (trace !== undefined && !trace.settled) this.#settle(trace)
    return trace
  }

  /** The trace that a row belongs to. */
  traceOf(row: number): Trace {
    return this.#slots[this.columns.trace[row]!]!
  }

  /** The row of a span of `trace`, or -1. `id` is 16 hexadecimal digits. */
  find(trace: Trace, id: string): number {
    return this.#index.find(trace.slot, Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8), 16))
  }

  /** Settles every trace that changed; to be called before traces are read in bulk. */
  settle(): void {
    for (const trace of this.#unsettled) settle(trace, this.columns, this.#index, this.lanes)
    this.#unsettled.clear()
  }

  /** The traces that changed since the last call, at most `most` of the newest of them, settled. */
  takeChanged(most: number): Trace[] {
    const changed = most === 0 ? [] : [...this.#changed].slice(-most)
    this.#changed.clear()
    for (const trace of changed) if (!trace.settled) this.#settle(trace)
    return changed
  }

  /** The encoded Span message of a row: where it is kept, valid until the next span comes. */
  encoded(row: number): { bytes: Buffer; start: number; end: number } {
    const { slab, offset, length } = this.columns
    const start = offset[row]!
    return { bytes: this.#slabs.bytes(slab[row]!), start, end: start + length[row]! }
  }

  /** The span of a row with all its details. */
  decode(row: number): Span {
    const { bytes, start, end } = this.encoded(row)
    return decodeSpan(bytes, start, end)
  }

  /** What `scanSpan` notes of a row. */
  scan(row: number): { bytes: Buffer; scan: SpanScan } {
    const { bytes, start, end } = this.encoded(row)
    // One reader serves a whole slab: a large trace is a hundred thousand calls.
    if (this.#reader?.bytes !== bytes) {
      this.#reader = new ProtobufReader(bytes)
      this.#reader.maxMessages = Number.POSITIVE_INFINITY
    }
    this.#reader.pos = start
    this.#reader.end = end
    return { bytes, scan: scanSpan(this.#reader) }
  }

  /** Lets the traces go for which `isDue` holds, the oldest first and `most` at most, as if there were no room for them. */
  letGo(isDue: (trace: Trace) => boolean, most = Number.POSITIVE_INFINITY): void {
    let count = 0
    for (const trace of this.traces.values()) {
      if (count === most) break
      if (!isDue(trace)) continue
      this.#evict(trace)
      count++
    }
    if (count > 0) this.#slabs.compact(this.columns)
  }

  /** Rows of a trace in order of arrival. */
  *rows(trace: Trace): Generator<number> {
    for (let row = trace.first; row >= 0; row = this.columns.next[row]!) yield row
  }

  #settle(trace: Trace): void {
    settle(trace, this.columns, this.#index, this.lanes)
    this.#unsettled.delete(trace)
  }

  #insert(bytes: Buffer, scan: SpanScan, origin: number, scope: number): Refusal | undefined {
    const resource = this.lanes.origins.value(origin).bytes
    const scopeBytes = this.lanes.scopes.value(scope).bytes
    if (Math.max(scan.end - scan.start, resource.length, scopeBytes.length) > MAX_SPAN_BYTES)
      return 'too-large'
    if (!hasIds(bytes, scan)) return 'invalid-id'
    const spanHigh = bytes.readUInt32BE(scan.spanAt)
    const spanLow = bytes.readUInt32BE(scan.spanAt + 4)
    const key = bytes.toString('latin1', scan.traceAt, scan.traceAt + 16)
    let trace = this.traces.get(key)
    if (trace !== undefined && this.#index.find(trace.slot, spanHigh, spanLow) >= 0) return 'duplicate'
    if (!this.#makeRoom(scan.end - scan.start, trace)) return 'full'
    trace ??= this.#open(key)
    const row = this.#row()
    this.#append(row, trace)
    const { columns } = this
    columns.take(row, bytes, scan)
    columns.spanHigh[row] = spanHigh
    columns.spanLow[row] = spanLow
    columns.scope[row] = scope
    columns.lane[row] = this.lanes.internLane(
      origin,
      scan.threadId < 0 ? null : scan.threadId,
      threadName(bytes, scan),
    )
    this.lanes.scopes.retain(scope)
    const name = bytes.toString('utf8', scan.nameAt, scan.nameEnd)
    columns.name[row] = this.names.intern(name, () => name)
    this.#slabs.put(columns, row, bytes, scan.start, scan.end)
    this.#index.add(row)
    this.signatures.add(row, bytes, scan)
    this.journal?.kept(key, resource, scopeBytes, bytes.subarray(scan.start, scan.end), columns.start(row))
    return undefined
  }

  #append(row: number, trace: Trace): void {
    const { columns } = this
    columns.trace[row] = trace.slot
    columns.next[row] = -1
    if (trace.last >= 0) columns.next[trace.last] = row
    else trace.first = row
    trace.last = row
    trace.spans++
    trace.settled = false
    this.#unsettled.add(trace)
    this.#changed.delete(trace)
    this.#changed.add(trace)
  }

  #open(key: string): Trace {
    const slot = this.#freeSlots.pop() ?? this.#slots.length
    const trace = new Trace(key, slot)
    this.#slots[slot] = trace
    this.traces.set(key, trace)
    return trace
  }

  #row(): number {
    this.#spans++
    const { columns } = this
    if (this.#free >= 0) {
      const row = this.#free
      this.#free = columns.next[row]!
      return row
    }
    if (this.#used === columns.capacity) {
      columns.grow(Math.max(this.#used + 1, Math.min(this.#used * 2, this.limits.maxSpans)))
    }
    return this.#used++
  }

  /** Lets the oldest traces go, but not `wanted`. Answers whether there is room for `length` bytes more. */
  #makeRoom(length: number, wanted: Trace | undefined): boolean {
    const { maxSpans, maxBytes } = this.limits
    const needed = length + RECORD_HEADER + ROW_BYTES + (wanted === undefined ? TRACE_BYTES : 0)
    let removed = false
    while (this.#spans >= maxSpans || this.bytes + needed > maxBytes) {
      const oldest = this.#oldestBut(wanted)
      if (oldest === undefined) return false
      this.#evict(oldest)
      removed = true
    }
    if (removed) this.#slabs.compact(this.columns)
    return true
  }

  #oldestBut(wanted: Trace | undefined): Trace | undefined {
    for (const trace of this.traces.values()) if (trace !== wanted) return trace
    return undefined
  }

  #evict(trace: Trace): void {
    const { columns } = this
    for (let row = trace.first; row >= 0; ) {
      const next = columns.next[row]!
      this.#index.remove(row)
      this.signatures.remove(row)
      this.#slabs.remove(columns, row)
      this.names.release(columns.name[row]!)
      this.lanes.releaseLane(columns.lane[row]!)
      this.lanes.releaseScope(columns.scope[row]!)
      columns.next[row] = this.#free
      this.#free = row
      row = next
    }
    this.#spans -= trace.spans
    this.evicted.spans += trace.spans
    this.evicted.traces++
    this.traces.delete(trace.key)
    this.#unsettled.delete(trace)
    this.#changed.delete(trace)
    this.#slots[trace.slot] = undefined
    this.#freeSlots.push(trace.slot)
    this.journal?.evicted(trace.key)
  }
}
