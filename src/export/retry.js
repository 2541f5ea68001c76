/** When to send again, by the OTLP specification: "OTLP/HTTP Throttling" and "Retryable Response Codes". */
const FIRST_DELAY = 200
const LONGEST_DELAY = 5000
/** True for the answers that ask to be tried again; no other 4xx or 5xx may be. */
export function isRetryable(status) {
  return status === 429 || status === 502 || status === 503 || status === 504
}
/**
 * Milliseconds to wait before the next attempt: doubled each time from 200 ms to 5 s, of which a random half is
 * taken off, so that many processes do not come back at the same instant.
 * @param attempt 0 after the first failure.
 */
export function backoff(attempt, random = Math.random) {
  const longest = Math.min(FIRST_DELAY * 2 ** Math.min(attempt, 16), LONGEST_DELAY)
  return longest * (0.5 + random() / 2)
}
/**
 * The wait that a `Retry-After` header asks for (RFC 9110, section 10.2.3: seconds or a date), in milliseconds.
 * Undefined when there is none, it cannot be read, or it has passed already.
 * @param now Milliseconds since the epoch.
 */
export function retryAfter(header, now) {
  const text = header?.trim() ?? ''
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return wait > 0 ? wait : undefined
}
