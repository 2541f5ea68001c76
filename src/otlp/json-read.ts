import { attributes, emptyResource, emptyScope, MAX_DEPTH } from './decode-common.js'
import { OtlpError } from './errors.js'
import type { AnyValue, Attributes, Resource, Scope } from './types.js'

// Readers of single OTLP/JSON values. Absent and `null` stand for a field's default, as in proto3's JSON mapping.

/** A JSON object whose keys are not known yet. */
export interface JsonObject {
  readonly [key: string]: unknown
}

/** @throws OtlpError when `value` is not a JSON object. */
export function object(value: unknown, field: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OtlpError(`${field} is not an object`)
  }
  return value as JsonObject
}

/** The elements of a repeated field, each read by `read`. @throws OtlpError when `value` is not an array. */
export function list<T>(value: unknown, field: string, read: (element: JsonObject) => T): T[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new OtlpError(`${field} is not an array`)
  return value.map((element) => read(object(element, field)))
}

/**
 * A string. JSON can hold halves of surrogate pairs, which a protobuf string cannot: they become U+FFFD.
 * @throws OtlpError when `value` is not a string.
 */
export function text(value: unknown, field: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new OtlpError(`${field} is not a string`)
  return value.replace(/\p{Surrogate}/gu, '\ufffd')
}

/** Trace and span ids: hexadecimal in any case, not base64. @throws OtlpError when `value` is neither. */
export function hexId(value: unknown, field: string): string {
  const id = text(value, field)
  if (!/^(?:[0-9a-f]{2})*$/i.test(id)) throw new OtlpError(`${field} is not hexadecimal`)
  return id.toLowerCase()
}

/** `uint32`, `fixed32`, `sint32` and enum values: numbers, or numbers in strings. @throws OtlpError otherwise. */
export function integer(value: unknown, field: string): number {
  if (value === undefined || value === null) return 0
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number))
    throw new OtlpError(`${field} is not an integer`)
  return number
}

/** `double`: a number, a number in a string, or `NaN`, `Infinity`, `-Infinity`. @throws OtlpError otherwise. */
export function double(value: unknown, field: string): number {
  if (value === undefined || value === null) return 0
  if (typeof value === 'number') return value
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  if (Number.isNaN(number) && value !== 'NaN') throw new OtlpError(`${field} is not a number`)
  return number
}

/** 64-bit integers: decimal strings, or numbers. @throws OtlpError for anything else, and beyond 64 bits. */
export function int64(value: unknown, field: string): bigint {
  if (value === undefined || value === null) return 0n
  if (typeof value === 'number' && Number.isInteger(value)) return inRange(BigInt(value), field)
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return inRange(BigInt(value), field)
  throw new OtlpError(`${field} is not a 64-bit integer`)
}

/** Nanoseconds since the epoch, `fixed64`. @throws OtlpError as `int64`, and for negative values. */
export function nanoseconds(value: unknown, field: string): bigint {
  const time = int64(value, field)
  if (time < 0n) throw new OtlpError(`${field} is negative`)
  return time
}

function inRange(value: bigint, field: string): bigint {
  if (value < -(1n << 63n) || value >= 1n << 64n) throw new OtlpError(`${field} does not fit 64 bits`)
  return value
}

/** `AnyValue` in JSON: an object with one of the `...Value` keys, or none. @throws OtlpError */
export function anyValue(value: unknown, depth = 0): AnyValue {
  if (value === undefined || value === null) return null
  if (depth > MAX_DEPTH) throw new OtlpError(`attribute values nested deeper than ${MAX_DEPTH}`)
  const any = object(value, 'AnyValue')
  if (isSet(any['stringValue'])) return text(any['stringValue'], 'stringValue')
  if (isSet(any['intValue'])) {
    const integer = int64(any['intValue'], 'intValue')
    const number = Number(integer)
    return Number.isSafeInteger(number) ? number : BigInt.asIntN(64, integer)
  }
  if (isSet(any['doubleValue'])) return double(any['doubleValue'], 'doubleValue')
  if (isSet(any['boolValue'])) {
    if (typeof any['boolValue'] !== 'boolean') throw new OtlpError('boolValue is not a boolean')
    return any['boolValue']
  }
  if (isSet(any['arrayValue'])) {
    const { values } = object(any['arrayValue'], 'arrayValue')
    if (!isSet(values)) return []
    if (!Array.isArray(values)) throw new OtlpError('arrayValue.values is not an array')
    return values.map((element) => anyValue(element, depth + 1))
  }
  if (isSet(any['kvlistValue'])) {
    return attributeMap(object(any['kvlistValue'], 'kvlistValue')['values'], depth + 1)
  }
  if (isSet(any['bytesValue'])) {
    return new Uint8Array(Buffer.from(text(any['bytesValue'], 'bytesValue'), 'base64'))
  }
  return null
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** A list of `KeyValue` in JSON. @throws OtlpError */
export function attributeMap(value: unknown, depth = 0): Attributes {
  const map = attributes()
  if (value === undefined || value === null) return map
  if (!Array.isArray(value)) throw new OtlpError('attributes is not an array')
  for (const element of value) {
    const pair = object(element, 'attributes')
    map[text(pair['key'], 'key')] = anyValue(pair['value'], depth)
  }
  return map
}

/** `Resource` in JSON. @throws OtlpError */
export function resource(value: unknown): Resource {
  if (!isSet(value)) return emptyResource()
  const json = object(value, 'resource')
  return {
    attributes: attributeMap(json['attributes']),
    droppedAttributesCount: integer(json['droppedAttributesCount'], 'droppedAttributesCount'),
  }
}

/** `InstrumentationScope` in JSON. @throws OtlpError */
export function scope(value: unknown): Scope {
  if (!isSet(value)) return emptyScope()
  const json = object(value, 'scope')
  return {
    name: text(json['name'], 'scope.name'),
    version: text(json['version'], 'scope.version'),
    attributes: attributeMap(json['attributes']),
    droppedAttributesCount: integer(json['droppedAttributesCount'], 'droppedAttributesCount'),
  }
}
