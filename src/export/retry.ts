/** When to send again, by the OTLP specification. */

const FIRST_DELAY = 200
const LONGEST_DELAY = 5000

/**
 * Milliseconds to wait before the next attempt: doubled each time from 200 ms to 5 s, of which a random half is
 * taken off, so that many processes do not come back at the same instant.
 * @param attempt 0 after the first failure.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const longest = Math.min(FIRST_DELAY * 2 ** Math.min(attempt, 16), LONGEST_DELAY)
  return longest * (0.5 + random() / 2)
}

/**
 * The wait that a `Retry-After` header asks for (RFC 9110, section 10.2.3: seconds or a date), in milliseconds.
 * Undefined when there is none, it cannot be read, or it has passed already.
 * @param now Milliseconds since the epoch.
 */
export function delayOf(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? ''
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return wait > 0 ? wait : undefined
}
