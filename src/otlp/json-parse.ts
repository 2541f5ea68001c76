import { OtlpError } from './errors.js'

/** Most objects and arrays in one JSON text: `{},` is three bytes of it and becomes an object of fifty. */
export const MAX_JSON_OBJECTS = 1_000_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACKET = 0x5b
const BRACE = 0x7b

/**
 * `JSON.parse` of UTF-8 that comes from outside: the objects are counted before the first one is made.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` where it is not JSON, or holds more than a million objects and arrays.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > 2 * MAX_JSON_OBJECTS && countObjects(bytes) > MAX_JSON_OBJECTS) {
    throw new OtlpError(`more than ${MAX_JSON_OBJECTS} objects in one: send less at a time`)
  }
  try {
    // It skips a byte order mark, which editors leave and JSON does not allow.
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch (error) {
    throw new OtlpError(`not JSON: ${(error as Error).message}`)
  }
}

function countObjects(bytes: Uint8Array): number {
  let count = 0
  let isText = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (isText) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === BRACE || byte === BRACKET) count++
  }
  return count
}
