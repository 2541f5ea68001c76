import { ProtobufReader } from '../otlp/protobuf.js'
import { printable } from '../trace/text.js'
import type { Answer, NoAnswer, PartialSuccess, SendResult } from './client.js'
import type { DropCause } from './exporter.js'
import type { HttpAnswer } from './http-post.js'
import { reason } from './notices.js'
import { delayOf } from './retry.js'

/** What servers answer to an OTLP/HTTP request: the specification's "OTLP/HTTP Response". */

const LONGEST_MESSAGE = 300

export const shown = (message: string): string => printable(message.slice(0, LONGEST_MESSAGE)).trim()

/** The partial success of an answer that has none. */
export const NOTHING: PartialSuccess = { rejected: 0, message: '' }

/** What an answer over HTTP means: "Retryable Response Codes", "OTLP/HTTP Throttling". No other 4xx or 5xx may be repeated. */
export function answerOf({ status, retryAfter, contentType, body }: HttpAnswer): Answer {
  if (status >= 200 && status <= 299) {
    const partial = readPartialSuccess(body, contentType)
    return { verdict: 'taken', wait: undefined, words: `status ${status}`, partial }
  }
  const message = readErrorMessage(body, contentType)
  const words = `status ${status}${message === '' ? '' : `: ${message}`}`
  const wait = delayOf(retryAfter, Date.now())
  return { verdict: httpVerdict(status), wait, words, partial: NOTHING }
}

export function httpVerdict(status: number): Answer['verdict'] {
  if (status === 413) return 'too-large'
  return status === 429 || status === 502 || status === 503 || status === 504 ? 'again' : 'refused'
}

/** The `partial_success` of an `Export…ServiceResponse`: those of all signals have the same numbers. What cannot be read says nothing: the status was success. */
export function readPartialSuccess(body: Uint8Array, contentType: string): PartialSuccess {
  try {
    return /json/i.test(contentType) ? partialSuccessJson(body) : partialSuccessProtobuf(body)
  } catch {
    return NOTHING
  }
}

function partialSuccessJson(body: Uint8Array): PartialSuccess {
  const { partialSuccess } = JSON.parse(Buffer.from(body).toString())
  const { rejectedSpans, rejectedDataPoints, rejectedLogRecords, errorMessage } = partialSuccess ?? {}
  return {
    rejected: Math.max(Number(rejectedSpans ?? rejectedDataPoints ?? rejectedLogRecords) || 0, 0),
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

/** Why a request that may be repeated has failed, as a cause and in words. */
export function failure({ answer, ...rest }: SendResult): [DropCause, string] {
  if (answer !== undefined) return ['throttled', `it answers with ${answer.words}`]
  const { timedOut, error } = rest as NoAnswer
  return timedOut ? ['timeout', 'it does not answer in time'] : ['endpoint', reason(error)]
}
