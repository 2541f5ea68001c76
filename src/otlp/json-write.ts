import type { AnyValue, Attributes, Resource, Scope } from './types.js'

/**
 * `AnyValue` in OTLP/JSON. A decoded value does not tell an integer from a double that happens to be one: whole numbers
 * in the safe range become `intValue`, all others `doubleValue`.
 */
export function anyValueToJson(value: AnyValue): Record<string, unknown> {
  switch (typeof value) {
    case 'string':
      return { stringValue: value }
    case 'boolean':
      return { boolValue: value }
    case 'bigint':
      return { intValue: value.toString() }
    case 'number':
      // JSON.stringify drops the sign of zero; numbers in strings are as good by proto3's mapping.
      if (Object.is(value, -0)) return { doubleValue: '-0' }
      if (Number.isSafeInteger(value)) return { intValue: value.toString() }
      return { doubleValue: Number.isFinite(value) ? value : String(value) }
    default:
      if (value === null) return {}
      if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValueToJson) } }
      if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') }
      return { kvlistValue: { values: attributesToJson(value) } }
  }
}

/** The list of `KeyValue` in OTLP/JSON. */
export function attributesToJson(attributes: Attributes): { key: string; value: Record<string, unknown> }[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValueToJson(value) }))
}

/** `Resource` in OTLP/JSON. */
export function resourceToJson(resource: Resource): Record<string, unknown> {
  return {
    attributes: attributesToJson(resource.attributes),
    ...count('droppedAttributesCount', resource.droppedAttributesCount),
  }
}

/** `InstrumentationScope` in OTLP/JSON. */
export function scopeToJson(scope: Scope): Record<string, unknown> {
  return {
    name: scope.name,
    ...text('version', scope.version),
    ...list('attributes', attributesToJson(scope.attributes)),
    ...count('droppedAttributesCount', scope.droppedAttributesCount),
  }
}

// Defaults are left out, as proto3's JSON mapping does and every reader of it must accept.

/** The field with a number, or nothing for 0. */
export function count(key: string, value: number): Record<string, unknown> {
  return value === 0 ? {} : { [key]: value }
}

/** The field with a text, or nothing for an empty one. */
export function text(key: string, value: string): Record<string, unknown> {
  return value === '' ? {} : { [key]: value }
}

/** The repeated field, or nothing when it has no elements. */
export function list(key: string, value: unknown[]): Record<string, unknown> {
  return value.length === 0 ? {} : { [key]: value }
}
