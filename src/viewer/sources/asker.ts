import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ThreadspanError } from '../../core/errors.js'
import { parseJson } from '../../otlp/json-parse.js'
import { badAnswer, checked } from './source.js'

/** Largest answer, before and after decompression. */
const MAX_ANSWER = 64 * 1024 * 1024

/** Milliseconds for one request, from its begin to the last byte of the answer. */
const TIMEOUT = 30_000

/** Connections at the same time. */
const CONNECTIONS = 4

/** What an answer says is shown up to here. */
const MAX_SHOWN = 200

/** How a source is asked. */
export interface AskerOptions {
  /** By lower-case name; values are secrets. */
  headers?: Readonly<Record<string, string>>
  /** Milliseconds for one request, by default 30,000. */
  timeout?: number
  /** Most bytes of an answer, by default 64 MiB. */
  maxAnswer?: number
  /** Ends what is under way. */
  signal?: AbortSignal
}

/** One request. */
export interface Question {
  /** Below the source's URL, without a leading slash. */
  path: string
  query?: Readonly<Record<string, string>>
  method?: 'GET' | 'POST' | 'DELETE'
  accept?: string
  body?: { type: string; text: string }
}

/** What came back, whatever its status. */
export interface Reply {
  status: number
  /** MIME type, lower case, without parameters. */
  type: string
  body: Buffer
}

/** Sends requests to one server, within bounds. A redirect is an error: it would take the credentials elsewhere. */
export class Asker {
  /** The URL as it may be shown. */
  readonly name: string
  readonly #base: URL
  readonly #options: AskerOptions
  readonly #agent: HttpAgent | HttpsAgent

  /** @param kind What the server is called: `Jaeger`. @param base Its URL, without credentials. */
  constructor(kind: string, base: URL, options: AskerOptions) {
    this.name = `${kind} at ${base.origin}${base.pathname.replace(/\/+$/, '')}`
    this.#base = base
    this.#options = options
    const pool = { keepAlive: true, maxSockets: CONNECTIONS }
    this.#agent = base.protocol === 'https:' ? new HttpsAgent(pool) : new HttpAgent(pool)
  }

  /** The answer to a question, with any status but a redirect's. @throws ThreadspanError */
  async ask(question: Question): Promise<Reply> {
    const { timeout = TIMEOUT, maxAnswer = MAX_ANSWER } = this.#options
    const response = { status: 0, type: '' }
    const body = await new Promise<Buffer>((resolve, reject) => {
      const request = this.#request(question)
      const fail = (error: Error) => {
        clearTimeout(timer)
        reject(error)
        request.destroy()
      }
      const timer = setTimeout(
        () => fail(this.#unreachable(`it did not answer in full within ${timeout / 1000} s`)),
        timeout,
      )
      request.on('error', (error) => fail(this.#unreachable(error.message || String(error), error)))
      request.on('response', (incoming) => {
        response.status = incoming.statusCode ?? 0
        response.type = (incoming.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
        if (response.status >= 300 && response.status < 400) {
          fail(
            badAnswer(
              this.name,
              `it redirects (${response.status}), which is not followed: give the URL it leads to`,
            ),
          )
          return
        }
        readAll(incoming, maxAnswer).then(
          (bytes) => {
            clearTimeout(timer)
            resolve(bytes)
          },
          (error: Error) => fail(badAnswer(this.name, error.message, error)),
        )
      })
      request.end(question.body?.text)
    })
    if (response.status === 401 || response.status === 403) {
      throw badAnswer(
        this.name,
        `it answered ${response.status}: give credentials by THREADSPAN_FROM_HEADERS, or THREADSPAN_FROM_USER and THREADSPAN_FROM_PASSWORD`,
      )
    }
    return { ...response, body }
  }

  /** The JSON of an answer with a status of 2xx. @throws ThreadspanError */
  async json(question: Question): Promise<unknown> {
    return this.parse(await this.ask({ accept: 'application/json', ...question }))
  }

  /** The JSON of an answer. @throws ThreadspanError where it has another status than 2xx, or is none. */
  parse(reply: Reply): unknown {
    if (reply.status < 200 || reply.status > 299) throw this.refused(reply)
    return checked(this.name, () => parseJson(reply.body))
  }

  /** An answer's status is not what was hoped for. */
  refused({ status, body }: Reply): ThreadspanError {
    return badAnswer(this.name, `it answered ${status}${shown(body)}`)
  }

  #request({ path, query, method, accept, body }: Question) {
    const url = new URL(this.#base)
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`
    url.search = new URLSearchParams(query).toString()
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const { signal } = this.#options
    return send(url, {
      agent: this.#agent,
      ...(signal !== undefined && { signal }),
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        'accept-encoding': 'gzip',
        ...(accept !== undefined && { accept }),
        ...(body !== undefined && {
          'content-type': body.type,
          'content-length': String(Buffer.byteLength(body.text)),
        }),
        ...this.#options.headers,
      },
    })
  }

  #unreachable(why: string, cause?: unknown): ThreadspanError {
    return new ThreadspanError('THREADSPAN_SOURCE_UNREACHABLE', `${this.name}: ${why}`, { cause })
  }
}

/** @throws Error where it is longer than `most` before or after decompression, or ends early. */
async function readAll(response: IncomingMessage, most: number): Promise<Buffer> {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const bounded = bound(response, most)
  if (encoding === 'identity' || encoding === '') return collect(bounded)
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new Error('it answered with a compression that was not asked for')
  }
  const gunzip = createGunzip()
  const feed = async () => {
    for await (const chunk of bounded) if (!gunzip.write(chunk)) await drained(gunzip)
    gunzip.end()
  }
  feed().catch((error: Error) => gunzip.destroy(error))
  return collect(bound(gunzip, most))
}

function drained(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('close', resolve)
  })
}

async function* bound(stream: Readable, most: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of stream) {
    size += (chunk as Buffer).length
    if (size > most) throw new Error(`its answer is longer than ${most} bytes`)
    yield chunk as Buffer
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

/** What an answer says, in one line of printable characters. */
function shown(body: Buffer): string {
  const text = body
    .toString('utf8', 0, MAX_SHOWN * 4)
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]+/gu, ' ')
    .trim()
  return text === '' ? '' : `: ${text.slice(0, MAX_SHOWN)}`
}
