/** What exporters need of a protocol: OTLP's three ways to send a request are one to them. */

/** Bytes of an answer that are read; the messages that may be in it are small. */
export const LONGEST_ANSWER = 64 * 1024

/** What a server makes of a request. */
export interface Answer {
  /** `again`: it may be repeated. `too-large`: in smaller ones. `refused`: it may not be repeated. */
  readonly verdict: 'taken' | 'again' | 'too-large' | 'refused'
  /** Milliseconds to wait before the request is repeated, where the server asks for it. */
  readonly wait: number | undefined
  /** The status, and the server's own words; one line. */
  readonly words: string
  /** What it says beyond `taken`. */
  readonly partial: PartialSuccess
}

/** What an answer of success says beyond that. */
export interface PartialSuccess {
  /** Spans, data points or records that were refused for good. */
  readonly rejected: number
  /** The server's words, or empty; one line. */
  readonly message: string
}

/** Why there is no answer. */
export interface NoAnswer {
  readonly answer?: undefined
  readonly error: Error
  /** The time for the request was over. */
  readonly timedOut: boolean
  /** The server has not looked at it, as with a kept connection that had been closed in the meantime: to be tried again at once. */
  readonly stale: boolean
}

export type SendResult = { readonly answer: Answer } | NoAnswer

/** What one request takes. */
export interface SendOptions {
  /** Milliseconds for the whole request, at most 2^31 - 1. */
  readonly timeout: number
  /** Ends the request, which then counts as timed out. */
  readonly signal: AbortSignal
}

/** Sends requests to one endpoint, over connections that are kept. */
export interface OtlpClient {
  /** Bytes that a request should have at most. */
  readonly maxBytes: number
  /**
   * What goes over the wire for a request, to be made once for all attempts.
   * @param request An encoded `Export…ServiceRequest`.
   */
  prepare(request: Uint8Array): Promise<Uint8Array>
  /** Sends what `prepare` made. It never rejects. */
  send(body: Uint8Array, options: SendOptions): Promise<SendResult>
  /** Closes the connections. `send` opens new ones. */
  close(): void
}
