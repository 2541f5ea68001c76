/** What servers answer to a call over gRPC ("gRPC over HTTP/2", "Responses"), and what it means to OTLP ("OTLP/gRPC Response"). */
import type { IncomingHttpHeaders } from 'node:http2'
import { GRPC_CODES } from '../core/grpc-codes.js'
import { ProtobufReader } from '../otlp/protobuf.js'
import { type Answer, LONGEST_ANSWER } from './client.js'
import { httpVerdict, NOTHING, readErrorMessage, readPartialSuccess, shown } from './otlp-answer.js'

/** Those that may be repeated; `RESOURCE_EXHAUSTED` only where the server says when. */
const AGAIN = new Set([
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'DATA_LOSS',
])
/** How the implementations of gRPC say that a message is more than they are told to take: there is no code for it. */
const TOO_LARGE = /larger than max|exceeds (?:the )?max|too large/i

/** The answer to one call, as it comes. */
export class GrpcReply {
  #headers: IncomingHttpHeaders | undefined
  #trailers: IncomingHttpHeaders | undefined
  readonly #chunks: Uint8Array[] = []
  #size = 0

  /** Whether anything of it has come. */
  get hasBegun(): boolean {
    return this.#headers !== undefined
  }

  /** Whether the status has come. */
  get isComplete(): boolean {
    return this.#status !== undefined
  }

  begin(headers: IncomingHttpHeaders): void {
    this.#headers = headers
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#size <= LONGEST_ANSWER) this.#chunks.push(chunk)
  }

  end(trailers: IncomingHttpHeaders): void {
    this.#trailers = trailers
  }

  /** Undefined while there is no status: then the call has failed. */
  get answer(): Answer | undefined {
    const headers = this.#headers
    if (headers === undefined) return undefined
    const fields = this.#status
    const contentType = text(headers['content-type'])
    if (fields !== undefined) return this.#answerOf(fields)
    const status = Number(headers[':status'])
    if (status === 200 && contentType.startsWith('application/grpc')) return undefined
    return foreignAnswer(status, contentType, Buffer.concat(this.#chunks))
  }

  /** The fields that have the status: the trailers, or the headers where there is nothing else. */
  get #status(): IncomingHttpHeaders | undefined {
    return [this.#trailers, this.#headers].find((fields) => fields?.['grpc-status'] !== undefined)
  }

  #answerOf(fields: IncomingHttpHeaders): Answer {
    const code = GRPC_CODES[Number(text(fields['grpc-status']))] ?? 'UNKNOWN'
    if (code === 'OK') {
      const partial = readPartialSuccess(this.#message(), 'application/x-protobuf')
      return { verdict: 'taken', wait: undefined, words: `status ${code}`, partial }
    }
    const message = shown(percentDecoded(text(fields['grpc-message'])))
    const delay = retryDelay(text(fields['grpc-status-details-bin']))
    return {
      verdict: verdictOf(code, message, delay !== undefined),
      wait: delay === undefined || delay <= 0 ? undefined : delay,
      words: `status ${code}${message === '' ? '' : `: ${message}`}`,
      partial: NOTHING,
    }
  }

  /** The one message of the answer; empty where it cannot be read, for the status was success. */
  #message(): Uint8Array {
    const bytes = Buffer.concat(this.#chunks)
    if (this.#size > LONGEST_ANSWER || bytes.length < 5) return new Uint8Array(0)
    const content = bytes.subarray(5, 5 + bytes.readUInt32BE(1))
    if (bytes[0] === 0) return content
    try {
      return process.getBuiltinModule('node:zlib').gunzipSync(content, { maxOutputLength: LONGEST_ANSWER })
    } catch {
      return new Uint8Array(0)
    }
  }
}

function verdictOf(code: string, message: string, hasRetryInfo: boolean): Answer['verdict'] {
  if (TOO_LARGE.test(message)) return 'too-large'
  return AGAIN.has(code) || (code === 'RESOURCE_EXHAUSTED' && hasRetryInfo) ? 'again' : 'refused'
}

/** An answer that is none of gRPC's: a proxy's, or that of a server of something else ("HTTP to gRPC Status Code Mapping"). */
function foreignAnswer(status: number, contentType: string, body: Uint8Array): Answer {
  const message = readErrorMessage(body, contentType)
  return {
    verdict: httpVerdict(status),
    wait: undefined,
    words: `HTTP status ${status}, and no gRPC${message === '' ? '' : `: ${message}`}`,
    partial: NOTHING,
  }
}

function text(value: string | string[] | undefined): string {
  return Array.isArray(value) ? (value[0] ?? '') : (value ?? '')
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** The delay in milliseconds of a `google.rpc.RetryInfo` in an encoded `google.rpc.Status`; undefined where there is none. */
function retryDelay(base64: string): number | undefined {
  try {
    const reader = new ProtobufReader(Buffer.from(base64, 'base64'))
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag !== 0x1a) {
        reader.skip(tag)
        continue
      }
      const delay = delayIn(reader)
      if (delay !== undefined) return delay
    }
  } catch {
    // Details that cannot be read say nothing.
  }
  return undefined
}

/** Reads a `google.protobuf.Any`. */
function delayIn(reader: ProtobufReader): number | undefined {
  let type = ''
  let delay: number | undefined
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) type = reader.string()
    else if (tag === 0x12 && type.endsWith('/google.rpc.RetryInfo')) delay = readRetryInfo(reader)
    else reader.skip(tag)
  }
  reader.leave(outer)
  return delay
}

function readRetryInfo(reader: ProtobufReader): number {
  let milliseconds = 0
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag !== 0x0a) {
      reader.skip(tag)
      continue
    }
    const end = reader.enter()
    while (reader.pos < reader.end) {
      const inner = reader.tag()
      if (inner === 0x08) milliseconds += Number(reader.int64()) * 1000
      else if (inner === 0x10) milliseconds += Number(reader.int64()) / 1e6
      else reader.skip(inner)
    }
    reader.leave(end)
  }
  reader.leave(outer)
  return milliseconds
}
