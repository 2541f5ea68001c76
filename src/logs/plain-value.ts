import { count } from '../core/counters.js'
import { textOf } from '../core/text.js'
import type { AnyValue, Attributes } from '../otlp/types.js'

/** Deeper values, and more of them, are left out. */
const MOST_DEPTH = 8
const MOST_VALUES = 1000

/**
 * A copy of whatever an application logs, as OTLP has it: no later change of the application's reaches it. What JSON has no word for is told
 * as text; functions, symbols, what lies too deep and what cannot be read are left out, and counted as `log.value`. Never throws.
 *
 * @param limit UTF-16 code units of a text.
 */
export function plainValue(value: unknown, limit: number): AnyValue | undefined {
  return new Copy(limit).of(value, 0)
}

/** Characters of a field's value that a record keeps. */
const MOST_OF_FIELD = 8192

/**
 * The fields of what a logger has made of a line, as attributes. Throws what a getter throws.
 *
 * @param isToldElsewhere Whether to leave a field out.
 */
export function plainFields(
  line: Readonly<Record<string, unknown>>,
  isToldElsewhere: (name: string) => boolean,
): Attributes {
  const attributes: Attributes = Object.create(null)
  for (const name of Object.keys(line)) {
    if (isToldElsewhere(name)) continue
    const value = plainValue(line[name], MOST_OF_FIELD)
    if (value !== undefined) attributes[name] = value
  }
  return attributes
}

class Copy {
  private left = MOST_VALUES

  constructor(private readonly limit: number) {}

  of(value: unknown, depth: number): AnyValue | undefined {
    switch (typeof value) {
      case 'string':
        return value.length > this.limit ? value.substring(0, this.limit) : value
      case 'number':
      case 'boolean':
        return value
      case 'bigint':
        return BigInt.asIntN(64, value) === value ? value : String(value)
      case 'object':
        if (value === null) return null
        if (depth < MOST_DEPTH && this.left-- > 0) {
          try {
            return this.ofObject(value, depth)
          } catch {
            // A proxy or a getter.
          }
        }
        break
      case 'undefined':
        return undefined
    }
    count('log.value')
    return undefined
  }

  private ofObject(value: object, depth: number): AnyValue | undefined {
    if (Array.isArray(value)) {
      const items: AnyValue[] = []
      for (const item of value.slice(0, MOST_VALUES)) items.push(this.of(item, depth + 1) ?? null)
      return items
    }
    if (value instanceof Uint8Array) return Uint8Array.from(value)
    if (value instanceof Error) return this.ofError(value, depth)
    if (value instanceof Map) return this.ofEntries(value.entries(), depth)
    if (value instanceof Set) return this.ofObject([...value], depth)
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function') {
      const plain: unknown = toJSON.call(value)
      return plain === value ? undefined : this.of(plain, depth + 1)
    }
    return this.ofEntries(Object.entries(value), depth)
  }

  private ofError(error: Error, depth: number): AnyValue {
    const { name, message, stack } = error
    return this.ofEntries(Object.entries({ ...error, type: name, message, stack }), depth)
  }

  private ofEntries(entries: Iterable<[unknown, unknown]>, depth: number): Attributes {
    const map: Attributes = Object.create(null)
    for (const [key, item] of entries) {
      const own = this.of(item, depth + 1)
      if (own !== undefined) map[textOf(key)] = own
      if (this.left <= 0) break
    }
    return map
  }
}
