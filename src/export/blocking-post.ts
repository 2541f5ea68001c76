/**
 * One POST over HTTP that blocks the thread: for the end of a process, where no event loop runs any more. The socket is one of Node's; its
 * descriptor is written and read by hand.
 */
import { readSync, writeSync } from 'node:fs'
import { isIP, Socket } from 'node:net'
import { dechunk } from './chunked.js'
import { LONGEST_ANSWER } from './client.js'
import type { HttpAnswer } from './http-post.js'

/** Milliseconds between two attempts: at first, and at most. */
const FIRST_NAP = 0.05
const LONGEST_NAP = 2

const nap = new Int32Array(new SharedArrayBuffer(4))

/** How long it may take. Programs replace their clocks, and let them stand still; what was slept has passed all the same. */
interface Patience {
  /** In milliseconds of `performance.now()`. */
  readonly until: number
  /** Milliseconds that may be slept. */
  left: number
}

/** `failed`: it may be sent again. `unanswered`: it was sent, and the time is over. */
export type BlockingResult = HttpAnswer | 'failed' | 'unanswered'

/** The addresses that a URL names without a name server; empty where there is none, or where the protocol is another. */
export function addressesOf(url: URL): string[] {
  if (url.protocol !== 'http:' || url.username !== '' || url.password !== '') return []
  const name = url.hostname.replace(/^\[|\]$/g, '')
  if (name === 'localhost') return ['127.0.0.1', '::1']
  return isIP(name) === 0 ? [] : [name]
}

/**
 * @param url One that `addressesOf` knows addresses of.
 * @param time Milliseconds.
 */
export function blockingPost(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  time: number,
): BlockingResult {
  const patience = { until: performance.now() + time, left: time }
  for (const address of addressesOf(url)) {
    const result = attempt(address, url, headers, body, patience)
    if (result !== 'failed') return result
  }
  return 'failed'
}

function attempt(
  address: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  patience: Patience,
): BlockingResult {
  let socket: Socket | undefined
  let sent = 0
  const bytes = Buffer.concat([head(url, headers, body.length), body])
  try {
    socket = connect(address, Number(url.port || 80))
    const descriptor = descriptorOf(socket)
    while (sent < bytes.length) sent += insist(patience, () => writeSync(descriptor, bytes, sent))
    return read(descriptor, patience)
  } catch (error) {
    return sent === bytes.length && isAgain(error) ? 'unanswered' : 'failed'
  } finally {
    socket?.destroy()
  }
}

function head(url: URL, headers: Readonly<Record<string, string>>, length: number): Buffer {
  let text = `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`
  return Buffer.from(`${text}content-length: ${length}\r\nconnection: close\r\n\r\n`, 'latin1')
}

/** Begins to connect at once: Node does so in the next tick, and there is none any more. */
function connect(host: string, port: number): Socket {
  const socket = new Socket()
  socket.on('error', () => {})
  const { nextTick } = process
  process.nextTick = ((fn: (...args: unknown[]) => void, ...args: unknown[]) => fn(...args)) as never
  try {
    socket.connect({ host, port })
  } finally {
    process.nextTick = nextTick
  }
  return socket
}

/** @throws Where there is none: the connection was refused at once, or the system has none left. */
function descriptorOf(socket: Socket): number {
  const descriptor = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd
  if (descriptor === undefined || descriptor < 0) throw new Error('no descriptor')
  return descriptor
}

function isOver({ until, left }: Patience): boolean {
  return left <= 0 || performance.now() > until
}

/** Tries again until the system is ready. */
function insist(patience: Patience, call: () => number): number {
  for (let wait = FIRST_NAP; ; wait = Math.min(wait * 1.5, LONGEST_NAP)) {
    try {
      return call()
    } catch (error) {
      if (!isAgain(error) || isOver(patience)) throw error
      patience.left -= wait
      Atomics.wait(nap, 0, 0, wait)
    }
  }
}

/** Whether the system only asks for patience: a socket that is connecting is not connected. */
function isAgain(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'ENOTCONN'
}

/** @throws Where the connection ends, or the time is over, before there is a status. */
function read(descriptor: number, patience: Patience): HttpAnswer {
  let bytes: Buffer = Buffer.alloc(0)
  const piece = Buffer.allocUnsafe(4096)
  for (let answer: HttpAnswer | undefined; ; ) {
    let size = 0
    try {
      size = insist(patience, () => readSync(descriptor, piece, 0, piece.length, null))
    } catch (error) {
      // However the rest of it ends, the status has been read.
      if (answer !== undefined) return answer
      throw error
    }
    bytes = Buffer.concat([bytes, piece.subarray(0, size)])
    const parsed = parse(bytes)
    answer = parsed?.answer
    if (parsed?.isWhole === true) return parsed.answer
    const isEnd = size === 0 || bytes.length > LONGEST_ANSWER || isOver(patience)
    if (isEnd && answer !== undefined) return answer
    if (isEnd) throw new Error('the connection was closed')
  }
}

/** An answer as far as it has come; undefined without a whole head. Interim answers (RFC 9110, 15.2) are passed over. */
function parse(bytes: Buffer): { answer: HttpAnswer; isWhole: boolean } | undefined {
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) return undefined
    const text = bytes.toString('latin1', at, end)
    const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(text)?.[1] ?? 0)
    at = end + 4
    if (status > 99 && status < 200) continue
    const field = (name: string): string | undefined =>
      new RegExp(`\r\n${name}: *([^\r]*)`, 'i').exec(text)?.[1]
    const length = field('content-length')
    const isChunked = /chunked/i.test(field('transfer-encoding') ?? '')
    const rest = bytes.subarray(at)
    const { body, isWhole } = isChunked
      ? dechunk(rest)
      : { body: rest, isWhole: length !== undefined && rest.length >= Number(length) }
    return {
      answer: {
        status,
        retryAfter: field('retry-after'),
        contentType: field('content-type') ?? '',
        body,
      },
      isWhole,
    }
  }
}
