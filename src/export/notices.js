import { printable } from './text.js'

/** Milliseconds in which a complaint of one kind is made once. */
const QUIET = 60_000
const REASONS = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
}
/** An error of a connection in words, with its code. */
export function reason(error) {
  const code = error.code
  const words = REASONS[code ?? ''] ?? printable(error.message)
  return code === undefined ? words : `${words} (${code})`
}
/**
 * What a user is told about an endpoint: an outage once, with its reason, its end once, and refusals at most once a
 * minute. A failure that the next attempt makes good is not told at all.
 */
export class Notices {
  #log
  #endpoint
  #said = new Map()
  #failures = 0
  #down = false
  #since = 0
  #lost = 0
  /** @param endpoint As it may be shown. */
  constructor(log, endpoint) {
    this.#log = log
    this.#endpoint = endpoint
  }
  /** An attempt failed and may be repeated. */
  failed(why) {
    if (this.#failures++ === 0) this.#since = performance.now()
    if (this.#failures > 1) this.#announce(why)
  }
  /** Spans were given up after such failures. */
  gaveUp(why, spans) {
    this.#lost += spans
    this.#announce(why)
  }
  /** The server answered. */
  reached() {
    if (this.#down) {
      const seconds = Math.round((performance.now() - this.#since) / 1000)
      const lost = this.#lost === 0 ? 'no span was lost' : `${this.#lost} spans were dropped`
      this.#log(
        'info',
        'THREADSPAN_EXPORT_RECOVERED',
        `${this.#endpoint} takes spans again after ${seconds} s; ${lost}`,
      )
    }
    this.#down = false
    this.#failures = 0
    this.#lost = 0
  }
  /** The server refused spans for good, or has something to say. */
  complain(code, message) {
    const last = this.#said.get(code)
    const now = performance.now()
    if (last !== undefined && now - last < QUIET) return
    this.#said.set(code, now)
    this.#log('warn', code, `${this.#endpoint} ${message}`)
  }
  #announce(why) {
    if (this.#down) return
    this.#down = true
    this.#log(
      'warn',
      'THREADSPAN_EXPORT_UNREACHABLE',
      `spans cannot be delivered to ${this.#endpoint}: ${why}. Trying again, quietly`,
    )
  }
}
