/**
 * A single value that was measured, as it goes through a thread's ring and a descendant's file to those who listen to each of them:
 *
 *   0b LL LL LL   time and value (doubles), trace id, id of the transaction's local root, kind, three bytes of zeros,
 *                 lengths of the texts and of the attributes in 2 bytes each, then these, padded to a multiple of 4
 *
 * The record says all by itself, so that whoever reads it needs nothing that came before.
 */
import { attributesIn } from '../otlp/decode-common.js'
import type { AnyValue } from '../otlp/types.js'
import { RECORD_MEASURED } from '../ring/layout.js'
import type { Ring } from '../ring/ring.js'
import { type InstrumentDescriptor, type InstrumentKind, KINDS } from './descriptor.js'

/** Of a transaction, as far as it is known where something is measured for it. */
export interface TransactionScope {
  /** Span id of its local root: 16 lower-case hexadecimal digits. */
  readonly id: string
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  readonly name: string
}

/** A value that was measured. Plain data, safe for structured clone and JSON. */
export interface Measurement {
  /** The instrument's. */
  readonly name: string
  readonly kind: InstrumentKind
  /** UCUM, e.g. `ms`; empty where it has none. */
  readonly unit: string
  /** What was added, set or recorded. */
  readonly value: number
  readonly attributes: Readonly<Record<string, AnyValue>>
  /** Milliseconds since the epoch. */
  readonly time: number
  /** The transaction that it was measured in; undefined outside of any. */
  readonly transaction: TransactionScope | undefined
  /** Whether the transaction had ended, and been flushed, before this came. */
  readonly isLate: boolean
}

/** Bytes of the head, behind the record's first four. */
const HEAD = 16 + 16 + 8 + 4 + 8
/** Bytes of a name that are kept. */
const MOST_TEXT = 256

/**
 * Writes a record.
 * @param attributes `KeyValue` fields with tag 0a.
 * @returns Whether there was room.
 */
export function writeMeasurement(
  ring: Ring,
  { kind, name, unit }: InstrumentDescriptor,
  value: number,
  time: number,
  attributes: Uint8Array,
  scope: TransactionScope | undefined,
): boolean {
  const { bytes } = ring
  // UTF-8 takes three bytes for a code unit at most.
  const size = 4 + HEAD + 9 * MOST_TEXT + attributes.length + 4
  if (size > ring.maxRecord) return false
  const at = ring.reserveUncounted(size)
  if (at < 0) return false
  let end = at + 4 + HEAD
  const text = (content: string): number => {
    const length = bytes.write(content.length > MOST_TEXT ? content.slice(0, MOST_TEXT) : content, end)
    end += length
    return length
  }
  bytes.writeDoubleLE(time, at + 4)
  bytes.writeDoubleLE(value, at + 12)
  if (scope === undefined) bytes.fill(0, at + 20, at + 44)
  else {
    bytes.write(scope.traceId, at + 20, 16, 'hex')
    bytes.write(scope.id, at + 36, 8, 'hex')
  }
  bytes.writeUInt32LE(KINDS.indexOf(kind), at + 44)
  bytes.writeUInt16LE(text(name), at + 48)
  bytes.writeUInt16LE(text(unit), at + 50)
  bytes.writeUInt16LE(scope === undefined ? 0 : text(scope.name), at + 52)
  bytes.writeUInt16LE(attributes.length, at + 54)
  bytes.set(attributes, end)
  end += attributes.length
  while ((end & 3) !== 0) bytes[end++] = 0
  bytes.writeUInt32LE((RECORD_MEASURED | ((end - at - 4) << 8)) >>> 0, at)
  ring.commit(end, 0)
  return true
}

/** What a record says. @param body Without its first four bytes. @returns undefined where it is none. */
export function readMeasurement(body: Buffer): Omit<Measurement, 'isLate'> | undefined {
  if (body.length < HEAD) return undefined
  const kind = KINDS[body.readUInt32LE(40)]
  const [name = 0, unit = 0, scopeName = 0, length = 0] = [44, 46, 48, 50].map((at) => body.readUInt16LE(at))
  if (kind === undefined || HEAD + name + unit + scopeName + length > body.length) return undefined
  let at = HEAD
  const take = (size: number): Buffer => {
    at += size
    return body.subarray(at - size, at)
  }
  const texts = [name, unit, scopeName].map((size) => take(size).toString())
  const traceId = body.toString('hex', 16, 32)
  const id = body.toString('hex', 32, 40)
  return {
    name: texts[0]!,
    kind,
    unit: texts[1]!,
    value: body.readDoubleLE(8),
    attributes: attributesIn(take(length)),
    time: body.readDoubleLE(0),
    transaction: /^0*$/.test(id) ? undefined : { id, traceId, name: texts[2]! },
  }
}
