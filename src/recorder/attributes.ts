/**
 * What may be an attribute, and cutting it to the limits, as the specification's "Attribute" section says.
 *
 * Values come from applications: getters throw, proxies are revoked, arrays lie about their length. What is kept is a copy, read once.
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api'
import { count } from '../core/counters.js'

/** A list of `key, value, key, value, ...`: cheaper than an object for the handful that a span has. */
export type AttributeList = (string | AttributeValue)[]

/** Elements of an array that are kept. */
const MOST_ITEMS = 10_000

/**
 * A copy of `value` that no later change of the caller's reaches, with strings cut to `limit` UTF-16 code units; undefined, and counted as
 * `attribute.value`, where it is neither a primitive nor an array of primitives of one type with gaps allowed. Never throws.
 */
export function ownValue(value: unknown, limit: number): AttributeValue | undefined {
  switch (typeof value) {
    case 'string':
      return value.length > limit ? value.substring(0, limit) : value
    case 'number':
    case 'boolean':
      return value
    case 'undefined':
      return undefined
    default:
      return ownArray(value, limit)
  }
}

function ownArray(value: unknown, limit: number): AttributeValue | undefined {
  try {
    if (Array.isArray(value)) {
      const items = copyItems(value, limit)
      if (items !== undefined) return items as AttributeValue
    } else if (value === null) return undefined
  } catch {
    // A proxy or a getter.
  }
  count('attribute.value')
  return undefined
}

function copyItems(array: readonly unknown[], limit: number): unknown[] | undefined {
  const items: unknown[] = []
  const length = Math.min(array.length, MOST_ITEMS)
  if (array.length > length) count('attribute.items')
  let type: string | undefined
  for (let i = 0; i < length; i++) {
    const item = array[i]
    if (item === null || item === undefined) {
      items.push(null)
      continue
    }
    const itemType = typeof item
    type ??= itemType
    if (itemType !== type || (type !== 'string' && type !== 'number' && type !== 'boolean')) return undefined
    items.push(type === 'string' ? ownValue(item, limit) : item)
  }
  return items
}

/**
 * Calls `take` with each own enumerable attribute that can be read; one whose getter throws is counted as `attribute.value`. Never throws, unless
 * `take` does.
 */
export function eachAttribute(
  attributes: Attributes | null | undefined,
  take: (key: string, value: unknown) => void,
): void {
  if (typeof attributes !== 'object' || attributes === null) return
  let keys: string[]
  try {
    keys = Object.keys(attributes)
  } catch {
    count('attribute.value')
    return
  }
  for (const key of keys) {
    let value: unknown
    try {
      value = attributes[key]
    } catch {
      count('attribute.value')
      continue
    }
    take(key, value)
  }
}

/** At most `most` attributes of an event or link, copied and cut to the limits. Never throws. */
export function bounded(
  given: Attributes | null | undefined,
  most: number,
  limit: number,
): { readonly attributes: Attributes | undefined; readonly dropped: number } {
  if (given === undefined || given === null) return { attributes: undefined, dropped: 0 }
  // Without a prototype: a key `__proto__` is a key like others.
  const attributes: Attributes = Object.create(null)
  let kept = 0
  let dropped = 0
  eachAttribute(given, (key, value) => {
    if (kept >= most) {
      dropped++
      return
    }
    const own = ownValue(value, limit)
    if (own === undefined) return
    attributes[key] = own
    kept++
  })
  return { attributes, dropped }
}
