import type { AnyValue, Attributes } from '../../otlp/types.js'

/** Attributes as JSON can carry them: large integers as decimal strings, bytes in base64, NaN and infinities as text. */
export function plainAttributes(attributes: Attributes): Record<string, unknown> {
  // No prototype: a key may be `__proto__`.
  const plain = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(attributes)) plain[key] = plainValue(attributes[key]!)
  return plain
}

/** One value as JSON can carry it, by the rules of `plainAttributes`. */
export function plainValue(value: AnyValue): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return Array.isArray(value) ? value.map(plainValue) : plainAttributes(value)
}

/** Text for people: strings as they are, everything else as JSON. */
export function plainText(value: AnyValue | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(plainValue(value))
}

/** Milliseconds since the epoch of nanoseconds since the epoch. */
export function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6
}

/** The values in a value: a list has those of its elements. */
export function leaves(value: AnyValue): (string | number)[] {
  if (typeof value === 'number') return [value]
  if (Array.isArray(value)) return value.flatMap(leaves)
  return value === null || typeof value === 'object' ? [] : [String(value)]
}

/** Adds all text in a value, keys included. */
export function collect(value: AnyValue, into: string[]): void {
  if (value === null || value instanceof Uint8Array) return
  if (Array.isArray(value)) for (const element of value) collect(element, into)
  else if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      into.push(key)
      collect(inner, into)
    }
  } else into.push(String(value))
}
