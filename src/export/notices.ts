import type { LineCode } from '../core/codes.js'
import type { Signal } from '../ring/reader.js'
import { printable } from '../trace/text.js'
import type { ExportLog } from './exporter.js'

/** Milliseconds in which a complaint of one kind is made once. */
const QUIET = 60_000

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP/1.1; OTEL_EXPORTER_OTLP_PROTOCOL may have to be "grpc"',
  ERR_HTTP2_ERROR: 'it does not speak HTTP/2; OTEL_EXPORTER_OTLP_PROTOCOL may have to be "http/protobuf"',
}

/** Where users try things out: there they are told how to begin. */
const OWN_HOST = /^https?:\/\/(?:localhost|127\.|\[::1\])[^ ]*$/

/** An error of a connection in words, with its code. */
export function reason(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code
  const words = REASONS[code ?? ''] ?? printable(error.message)
  return code === undefined ? words : `${words} (${code})`
}

/**
 * What a user is told about an endpoint: an outage once, with its reason, its end once, and refusals at most once a
 * minute. A failure that the next attempt makes good is not told at all.
 */
export class Notices {
  /** What is delivered there, as users call it. */
  readonly what: string
  readonly #log: ExportLog
  readonly #endpoint: string
  readonly #said = new Map<LineCode, number>()
  #failures = 0
  #down = false
  #since = 0
  #lost = 0

  /** @param endpoint As it may be shown. */
  constructor(log: ExportLog, endpoint: string, signal: Signal = 'spans') {
    this.#log = log
    this.what = signal === 'spans' ? 'spans' : 'log records'
    this.#endpoint = endpoint
  }

  /** An attempt failed and may be repeated. */
  failed(why: string): void {
    if (this.#failures++ === 0) this.#since = performance.now()
    if (this.#failures > 1) this.#announce(why)
  }

  /** Spans were given up after such failures. */
  gaveUp(why: string, spans: number): void {
    this.#lost += spans
    this.#announce(why)
  }

  /** The server answered. */
  reached(): void {
    if (this.#down) {
      const seconds = Math.round((performance.now() - this.#since) / 1000)
      const lost =
        this.#lost === 0 ? `no ${this.what.slice(0, -1)} was lost` : `${this.#lost} ${this.what} were dropped`
      this.#log(
        'info',
        'THREADSPAN_EXPORT_RECOVERED',
        `${this.#endpoint} takes ${this.what} again after ${seconds} s; ${lost}`,
      )
    }
    this.#down = false
    this.#failures = 0
    this.#lost = 0
  }

  /** The server refused spans for good, or has something to say. */
  complain(code: LineCode, message: string): void {
    const last = this.#said.get(code)
    const now = performance.now()
    if (last !== undefined && now - last < QUIET) return
    this.#said.set(code, now)
    this.#log('warn', code, `${this.#endpoint} ${message}`)
  }

  #announce(why: string): void {
    if (this.#down) return
    this.#down = true
    const local = why.includes('ECONNREFUSED') && OWN_HOST.test(this.#endpoint)
    const hint = local ? '; "threadspan view" starts a receiver' : ''
    this.#log(
      'warn',
      'THREADSPAN_EXPORT_UNREACHABLE',
      `${this.what} cannot be delivered to ${this.#endpoint}: ${why}${hint}. Trying again, quietly`,
    )
  }
}
