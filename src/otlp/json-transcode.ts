import { MAX_DEPTH } from './decode-common.js'
import { OtlpError } from './errors.js'
import { type Field, MESSAGES, type Message, type Scalar } from './json-schema.js'
import { ProtobufReader } from './protobuf.js'

type Json = Record<string, unknown>

/** Messages around the deepest attribute value: a request, its groups, a record, an event, a key and value. */
const AROUND = 8

/** Wire types (https://protobuf.dev/programming-guides/encoding/). */
const VARINT = 0
const EIGHT_BYTES = 1
const DELIMITED = 2
const FOUR_BYTES = 5

/**
 * An encoded message as OTLP/JSON text. Nothing is lost on the way: a double stays one where its value is whole, and an
 * integer keeps all its digits. Fields that opentelemetry-proto 1.x does not have are passed over.
 * @param name A signal for its request, or one of the messages in it.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` as `decodeTraces` does.
 */
export function transcodeToJson(
  name: keyof typeof MESSAGES,
  bytes: Uint8Array,
  start = 0,
  end = bytes.byteLength,
): string {
  return JSON.stringify(readMessage(new ProtobufReader(bytes, start, end), MESSAGES[name], 0))
}

function readMessage(reader: ProtobufReader, message: Message, depth: number): Json {
  // Each level of nested values is two messages: the value, and the list that holds it.
  if (depth > 3 * MAX_DEPTH + AROUND) throw new OtlpError(`attribute values nested deeper than ${MAX_DEPTH}`)
  const json: Json = {}
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    const field = message.get(tag >>> 3)
    if (field === undefined) reader.skip(tag)
    else readField(reader, tag & 7, field, json, depth)
  }
  return json
}

function readField(
  reader: ProtobufReader,
  wire: number,
  { name, type, isList }: Field,
  json: Json,
  depth: number,
): void {
  const own = typeof type === 'string' ? wireOf(type) : DELIMITED
  const isPacked = isList && own !== DELIMITED && wire === DELIMITED
  if (wire !== own && !isPacked)
    throw new OtlpError(`wire type ${wire} in field ${name} at byte ${reader.pos}`)
  if (!isList) {
    json[name] = readValue(reader, type, depth)
    return
  }
  json[name] ??= []
  const list = json[name] as unknown[]
  if (!isPacked) {
    list.push(readValue(reader, type, depth))
    return
  }
  const outer = reader.enter()
  while (reader.pos < reader.end) list.push(readValue(reader, type, depth))
  reader.leave(outer)
}

function readValue(reader: ProtobufReader, type: Scalar | Message, depth: number): unknown {
  if (typeof type === 'string') return readScalar(reader, type)
  const outer = reader.enter()
  const json = readMessage(reader, type, depth + 1)
  reader.leave(outer)
  return json
}

function wireOf(type: Scalar): number {
  switch (type) {
    case 'string':
    case 'bytes':
    case 'hex':
      return DELIMITED
    case 'fixed64':
    case 'sfixed64':
    case 'double':
      return EIGHT_BYTES
    case 'fixed32':
      return FOUR_BYTES
    default:
      return VARINT
  }
}

/** By proto3's JSON mapping, 64-bit integers are strings, and so are the doubles that JSON has no number for. */
function readScalar(reader: ProtobufReader, type: Scalar): unknown {
  switch (type) {
    case 'string':
      return reader.string()
    case 'bytes':
      return Buffer.from(reader.copy()).toString('base64')
    case 'hex':
      return reader.hex()
    case 'bool':
      reader.varint64()
      return reader.low !== 0 || reader.high !== 0
    case 'uint32':
      return reader.uint32()
    case 'sint32':
      return reader.sint32()
    case 'int64':
      return reader.int64().toString()
    case 'uint64':
      return BigInt.asUintN(64, BigInt(reader.int64())).toString()
    case 'fixed32':
      return reader.fixed32()
    case 'fixed64':
      return reader.bigFixed64().toString()
    case 'sfixed64':
      return reader.sfixed64().toString()
    case 'double': {
      const value = reader.double()
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : Object.is(value, -0)
          ? '-0'
          : String(value)
    }
  }
}
