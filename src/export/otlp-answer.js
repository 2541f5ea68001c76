import { ProtobufReader } from '../otlp/protobuf.js'
import { printable } from './text.js'

/** What servers answer to an OTLP/HTTP request: the specification's "OTLP/HTTP Response". */
const LONGEST_MESSAGE = 300
const shown = (message) => printable(message.slice(0, LONGEST_MESSAGE)).trim()
/** The `partial_success` of an `ExportTraceServiceResponse`. What cannot be read says nothing: the status was success. */
export function readPartialSuccess(body, contentType) {
  try {
    return /json/i.test(contentType) ? partialSuccessJson(body) : partialSuccessProtobuf(body)
  } catch {
    return { rejected: 0, message: '' }
  }
}
function partialSuccessJson(body) {
  const { rejectedSpans, errorMessage } = JSON.parse(Buffer.from(body).toString()).partialSuccess ?? {}
  return {
    rejected: Math.max(Number(rejectedSpans) || 0, 0),
    message: typeof errorMessage === 'string' ? shown(errorMessage) : '',
  }
}
function partialSuccessProtobuf(body) {
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
export function readErrorMessage(body, contentType) {
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
