import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { HttpError } from './http-error.js'

/** Largest request, before and after decompression: what OTLP 1.x recommends to servers as the default. */
export const MAX_BODY = 64 * 1024 * 1024

/** Most bytes of bodies that are being read at the same time; beyond it senders are asked to come back. */
const MAX_IN_FLIGHT = 4 * MAX_BODY

const CHUNK = 256 * 1024

let inFlight = 0

/**
 * The body of a request, decompressed by its `Content-Encoding` (`gzip`, `deflate`, `identity`). Reading stops at
 * `limit` bytes, counted before and after decompression, so that a small body cannot become a large one. What was not
 * read stays in the request: see `drain`.
 * @throws HttpError 413 beyond the limit, 415 for another encoding, 400 for data that does not decompress, 503 while
 * other bodies take up all the room there is.
 */
export function readBody(request: IncomingMessage, limit = MAX_BODY): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge(limit))
  let decoder: Transform | undefined
  try {
    decoder = decompressor(request)
  } catch (error) {
    return Promise.reject(error)
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let received = 0
    let size = 0
    const forget = () => {
      inFlight -= size
      size = 0
    }
    const fail = (error: HttpError) => {
      request.off('data', take)
      request.off('end', end)
      request.pause()
      decoder?.destroy()
      chunks.length = 0
      forget()
      reject(error)
    }
    const keep = (chunk: Buffer) => {
      size += chunk.length
      inFlight += chunk.length
      if (size > limit) fail(tooLarge(limit))
      else if (inFlight > MAX_IN_FLIGHT) fail(busy())
      else chunks.push(chunk)
    }
    const take = (chunk: Buffer) => {
      received += chunk.length
      if (received > limit) fail(tooLarge(limit))
      else if (decoder === undefined) keep(chunk)
      else if (!decoder.write(chunk)) {
        request.pause()
        decoder.once('drain', () => request.resume())
      }
    }
    const finish = () => {
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))
      forget()
    }
    const end = () => (decoder === undefined ? finish() : decoder.end())
    decoder?.on('data', keep)
    decoder?.on('end', finish)
    decoder?.on('error', ({ message }) =>
      fail(
        new HttpError(
          400,
          'THREADSPAN_BODY_COMPRESSION',
          `The body does not decompress: ${message}`,
          'malformed',
        ),
      ),
    )
    request.on('data', take)
    request.on('end', end)
    request.on('error', () =>
      fail(new HttpError(400, 'THREADSPAN_BODY_ABORTED', 'The request was aborted', 'aborted')),
    )
  })
}

/**
 * Reads the rest of a request and throws it away, so that a client that is still sending gets to read the answer. Gives
 * up after two seconds.
 */
export function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(done, 2000)
    function done() {
      clearTimeout(timer)
      resolve()
    }
    request.on('data', () => {})
    request.once('end', done)
    request.once('close', done)
    request.resume()
  })
}

/** The stream that undoes the request's `Content-Encoding`, or undefined when there is none. @throws HttpError 415 */
export function decompressor(request: IncomingMessage): Transform | undefined {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  switch (encoding) {
    case '':
    case 'identity':
      return undefined
    case 'gzip':
    case 'x-gzip':
      return createGunzip({ chunkSize: CHUNK })
    case 'deflate':
      return createInflate({ chunkSize: CHUNK })
    default:
      throw new HttpError(
        415,
        'THREADSPAN_UNSUPPORTED_ENCODING',
        `Content-Encoding "${encoding.slice(0, 40)}" is not supported: use gzip, deflate or none`,
        'unsupported',
      )
  }
}

function tooLarge(limit: number): HttpError {
  return new HttpError(
    413,
    'THREADSPAN_BODY_TOO_LARGE',
    `The body is larger than ${limit} bytes, which is the most taken in one request, compressed or not`,
    'too-large',
  )
}

function busy(): HttpError {
  return new HttpError(
    503,
    'THREADSPAN_BUSY',
    'Too much data arrives at once: send it again a little later',
    'busy',
  )
}
