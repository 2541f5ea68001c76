/** What may be an attribute, and cutting it to the limits, as the specification's "Attribute" section says. */
import type { AttributeValue } from '@opentelemetry/api'

/** A list of `key, value, key, value, ...`: cheaper than an object for the handful that a span has. */
export type AttributeList = (string | AttributeValue)[]

function isPrimitive(value: unknown): boolean {
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean'
}

/** Whether `value` is a primitive, or an array of primitives of one type with gaps allowed. */
export function isAttributeValue(value: unknown): value is AttributeValue {
  if (isPrimitive(value)) return true
  if (!Array.isArray(value)) return false
  let type: string | undefined
  for (const item of value) {
    if (item === null || item === undefined) continue
    if (!isPrimitive(item)) return false
    type ??= typeof item
    if (typeof item !== type) return false
  }
  return true
}

/**
 * A copy of `value` that no later change of the caller's reaches, with strings cut to `limit` UTF-16 code units.
 * Only arrays are copied; they are what can change.
 */
export function ownValue(value: AttributeValue, limit: number): AttributeValue {
  if (typeof value === 'string') return value.length > limit ? value.substring(0, limit) : value
  if (!Array.isArray(value)) return value
  return value.map((item) =>
    typeof item === 'string' && item.length > limit ? item.substring(0, limit) : item,
  ) as AttributeValue
}
