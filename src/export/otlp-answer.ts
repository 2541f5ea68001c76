import { ProtobufReader } from '../otlp/protobuf.js'
import { printable } from '../trace/text.js'
import type { DropCause } from './exporter.js'
import type { Answer, PostResult } from './http-post.js'
import { reason } from './notices.js'

/** What servers answer to an OTLP/HTTP request: the specification's "OTLP/HTTP Response". */

const LONGEST_MESSAGE = 300

const shown = (message: string): string => printable(message.slice(0, LONGEST_MESSAGE)).trim()

/** What an answer of success says beyond that. */
export interface PartialSuccess {
  /** Spans or data points that were refused for good. */
  readonly rejected: number
  /** The server's words, or empty; one line. */
  readonly message: string
}

/** The `partial_success` of an `ExportTraceServiceResponse` or `ExportMetricsServiceResponse`, which have the same numbers. What cannot be read says nothing: the status was success. */
export function readPartialSuccess(body: Uint8Array, contentType: string): PartialSuccess {
  try {
    return /json/i.test(contentType) ? partialSuccessJson(body) : partialSuccessProtobuf(body)
  } catch {
    return { rejected: 0, message: '' }
  }
}

function partialSuccessJson(body: Uint8Array): PartialSuccess {
  const { partialSuccess } = JSON.parse(Buffer.from(body).toString())
  const { rejectedSpans, rejectedDataPoints, errorMessage } = partialSuccess ?? {}
  return {
    rejected: Math.max(Number(rejectedSpans ?? rejectedDataPoints) || 0, 0),
    message: typeof errorMessage === 'string' ? shown(errorMessage) : '',
  }
}

function partialSuccessProtobuf(body: Uint8Array): PartialSuccess {
  const reader = new ProtobufReader(body)
  let rejected = 0
  let message = ''
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag !== 0x0a) {
      reader.skip(tag)
      continue
    }
    const outer = reader.enter()
    while (reader.pos < reader.end) {
      const inner = reader.tag()
      if (inner === 0x08) rejected = Number(reader.int64())
      else if (inner === 0x12) message = reader.string()
      else reader.skip(inner)
    }
    reader.leave(outer)
  }
  return { rejected: Math.max(rejected, 0), message: shown(message) }
}

/** The message of a `google.rpc.Status` (or of plain text, which proxies answer), in one line; empty when there is none. */
export function readErrorMessage(body: Uint8Array, contentType: string): string {
  try {
    if (/json/i.test(contentType)) {
      const { message } = JSON.parse(Buffer.from(body).toString())
      return typeof message === 'string' ? shown(message) : ''
    }
    if (/^text\/plain/i.test(contentType)) {
      return shown(Buffer.from(body.subarray(0, 4 * LONGEST_MESSAGE)).toString())
    }
    if (!/protobuf/i.test(contentType)) return ''
    const reader = new ProtobufReader(body)
    let message = ''
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x12) message = reader.string()
      else reader.skip(tag)
    }
    return shown(message)
  } catch {
    return ''
  }
}

/** An answer that refuses a request for good, in words. */
export function refusal({ status, body, contentType }: Answer): string {
  const message = readErrorMessage(body, contentType)
  return `status ${status}${message === '' ? '' : `: ${message}`}`
}

/** Why a request that may be repeated has failed, as a cause and in words. */
export function failure({ answer, ...rest }: PostResult): [DropCause, string] {
  if (answer !== undefined) return ['throttled', `it answers with status ${answer.status}`]
  const { timedOut, error } = rest as Extract<PostResult, { error: Error }>
  return timedOut ? ['timeout', 'it does not answer in time'] : ['endpoint', reason(error)]
}
