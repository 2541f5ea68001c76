/** A line of JSON that a logger has written, as a record: the writing side, which copies it, and the reading side, which takes it apart. */
import { attributesIn } from '../otlp/decode-common.js'
import type { LogRecord } from '../otlp/logs-types.js'
import type { AnyValue, Attributes } from '../otlp/types.js'
import { ID_FIELDS } from './id-fields.js'
import {
  ERROR_LENGTH,
  IS_TOLD,
  LINE_LENGTH,
  SEVERITY,
  SPAN_ID,
  TEXT_LENGTHS,
  TEXTS,
  TIME,
  TRACE_FLAGS,
  TRACE_ID,
} from './line-layout.js'

/** What a line is understood by. */
export interface LineKeys {
  /** The level's name. */
  readonly level: string
  /** Of the fields: the message, the error, and the one that holds all others; empty where there is none. */
  readonly message: string
  readonly error: string
  readonly nested: string
}

/** Fields that say what the record says, or what its resource says. */
const TOLD: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', ...ID_FIELDS])

/** Fields of a record's attributes at most; more are counted. */
const MOST = 1000

/** Keys of lines that were read, by their bytes: a program has few. */
const known = new Map<string, LineKeys>()
const MOST_KNOWN = 1000
const MOST_NAME = 2000
const NO_TRACE = '0'.repeat(32)

/** A text of bytes, for those that are mostly the same as the last time: they are compared, and not read anew. */
class LastText {
  private readonly bytes: Buffer
  private text = ''

  constructor(
    length: number,
    private readonly encoding: 'hex' | 'latin1',
  ) {
    this.bytes = Buffer.alloc(length)
  }

  of(body: Buffer, from: number, to: number): string {
    const length = to - from
    const { bytes } = this
    if (length > bytes.length) return body.toString(this.encoding, from, to)
    let isSame = this.text.length === (this.encoding === 'hex' ? 2 * length : length)
    for (let i = 0; isSame && i < length; i++) isSame = bytes[i] === body[from + i]
    if (!isSame) {
      body.copy(bytes, 0, from, to)
      this.text = body.toString(this.encoding, from, to)
    }
    return this.text
  }
}
const lastTrace = new LastText(16, 'hex')
const lastSpan = new LastText(8, 'hex')
const lastLengths = new LastText(8, 'latin1')
const lastTexts = new LastText(MOST_NAME, 'latin1')
/** Those of the two last ones. */
let lastKeys: { readonly lengths: string; readonly texts: string; readonly keys: LineKeys } | undefined
const NONE: Attributes = Object.create(null)

/** @param body A line's record without its scope. @param isCut Whether the line was too long. */
export function recordOfLine(body: Buffer, isCut: boolean): LogRecord {
  const time = body.readBigUInt64LE(TIME)
  const traceId = lastTrace.of(body, TRACE_ID, SPAN_ID)
  const hasTrace = traceId !== NO_TRACE
  let at = TEXTS
  for (let i = TEXT_LENGTHS; i < ERROR_LENGTH; i += 2) at += body.readUInt16LE(i)
  const keys = keysIn(body, at)
  const exceptionLength = body.readUInt32LE(ERROR_LENGTH)
  const exception = exceptionLength === 0 ? NONE : attributesIn(body.subarray(at, at + exceptionLength))
  at += exceptionLength
  const line = body.toString('utf8', at, at + body.readUInt32LE(LINE_LENGTH))
  const record: LogRecord = {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: body[SEVERITY]!,
    severityText: keys.level,
    body: null,
    attributes: exception,
    droppedAttributesCount: 0,
    flags: hasTrace ? body[TRACE_FLAGS]! : 0,
    traceId: hasTrace ? traceId : '',
    spanId: hasTrace ? lastSpan.of(body, SPAN_ID, TRACE_FLAGS) : '',
    eventName: '',
  }
  const fields = isCut ? undefined : parsed(line)
  if (fields === undefined) {
    record.body = line.trimEnd()
    if (isCut) record.attributes = { ...exception, 'threadspan.truncated': true }
    return record
  }
  const isTold = body.readUInt16LE(IS_TOLD) === 1
  fill(record, fields, isTold ? { ...keys, error: undefined } : keys, exception)
  return record
}

/** @param end Where in the record they end. */
function keysIn(body: Buffer, end: number): LineKeys {
  const lengths = lastLengths.of(body, TEXT_LENGTHS, ERROR_LENGTH)
  const texts = lastTexts.of(body, TEXTS, end)
  if (lastKeys?.lengths === lengths && lastKeys.texts === texts) return lastKeys.keys
  const name = lengths + texts
  let keys = known.get(name)
  if (keys === undefined) {
    let at = TEXTS
    const [level, message, error, nested] = [0, 2, 4, 6].map((word) => {
      const from = at
      at += body.readUInt16LE(TEXT_LENGTHS + word)
      return body.toString('utf8', from, at)
    }) as [string, string, string, string]
    keys = { level, message, error, nested }
    if (known.size < MOST_KNOWN && name.length < MOST_NAME) known.set(name, keys)
  }
  lastKeys = { lengths, texts, keys }
  return keys
}

/** @param keys Without that of an error that a span tells of: it stays as the logger has written it. */
function fill(
  record: LogRecord,
  fields: Attributes,
  keys: Omit<LineKeys, 'error'> & { readonly error: string | undefined },
  exception: Attributes,
): void {
  const { [keys.message]: text = null } = fields
  record.body = text
  const attributes: Attributes = Object.create(null)
  let count = 0
  const add = (name: string, value: AnyValue): void => {
    if (count++ < MOST) attributes[name] = value
    else record.droppedAttributesCount++
  }
  for (const name of Object.keys(fields)) {
    if (name === keys.message || TOLD.has(name)) continue
    const value = fields[name]!
    if (name === keys.nested && isMap(value)) {
      for (const [inner, own] of Object.entries(value)) addField(inner, own)
    } else addField(name, value)
  }
  for (const name of Object.keys(exception)) add(name, exception[name]!)
  record.attributes = attributes

  function addField(name: string, value: AnyValue): void {
    if (name !== keys.error || !isMap(value) || typeof value['message'] !== 'string') {
      add(name, value)
      return
    }
    // The error's own fields beside what the conventions have names for.
    const { type, message, stack, ...rest } = value
    // What the logger has changed is told as it has left it.
    const own = { 'exception.type': type, 'exception.message': message, 'exception.stacktrace': stack }
    for (const [name, text] of Object.entries(own))
      if (typeof text === 'string' && exception[name] === undefined) add(name, text)
    if (Object.keys(rest).length > 0) add(name, rest)
  }
}

function isMap(value: AnyValue | undefined): value is Attributes {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

function parsed(line: string): Attributes | undefined {
  try {
    const value = JSON.parse(line) as AnyValue
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}
