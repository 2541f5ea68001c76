import { attributes } from '../../otlp/decode-common.js'
import { OtlpError } from '../../otlp/errors.js'
import { object, text } from '../../otlp/json-read.js'
import type { Attributes } from '../../otlp/types.js'
import { anyValue } from '../formats/values.js'

// Readers of what databases make of attributes and times.

/** Deepest nesting of objects that are taken for dots in a name. */
const MAX_DEPTH = 16

/** Attributes whose names are written with dots, or as objects in one another, or both. @throws OtlpError */
export function flat(value: unknown, field: string): Attributes {
  const map = attributes()
  if (value === undefined || value === null) return map
  const put = (prefix: string, inner: unknown, depth: number): void => {
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner) && depth < MAX_DEPTH) {
      for (const [key, each] of Object.entries(inner)) put(`${prefix}.${text(key, 'key')}`, each, depth + 1)
    } else map[prefix] = anyValue(inner)
  }
  for (const [key, inner] of Object.entries(object(value, field))) put(text(key, 'key'), inner, 0)
  return map
}

const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

/** Nanoseconds since the epoch of a time in ISO 8601, or of milliseconds, which may have a fraction. @throws OtlpError */
export function instant(value: unknown): bigint {
  if (typeof value === 'string') {
    const iso = ISO.exec(value)
    if (iso !== null) {
      const seconds = Date.parse(`${iso[1]}${iso[3]}`) / 1000
      if (seconds >= 0) return BigInt(seconds) * 1_000_000_000n + BigInt((iso[2] ?? '').padEnd(9, '0'))
    }
    const decimal = /^(\d{1,14})(?:\.(\d{1,6})\d*)?$/.exec(value)
    if (decimal !== null) return BigInt(decimal[1]!) * 1_000_000n + BigInt((decimal[2] ?? '').padEnd(6, '0'))
  }
  if (typeof value === 'number' && value >= 0 && value < 1e14) {
    const whole = Math.trunc(value)
    return BigInt(whole) * 1_000_000n + BigInt(Math.round((value - whole) * 1e6))
  }
  throw new OtlpError('@timestamp is no time')
}
