import { Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'
import { ForeignError } from './formats.js'
import { JsonValues } from './json-values.js'
import { isMalformed, type Sink } from './sink.js'

/** Longest JSON value of a file; a longer one is passed over. */
const MAX_VALUE = 64 * 1024 * 1024

/** What reading a file brought. */
export interface FileResult {
  /** Spans, data points and log records kept. */
  items: number
  spans: number
  /** Items refused. */
  rejected: number
  /** Pieces that are not OTLP JSON, or too long. */
  unread: number
  /** What they are, where that can be told: `Zipkin JSON`. */
  format?: string
}

/**
 * Reads OTLP JSON: `TracesData`, `MetricsData` or `LogsData` objects, one to a line as the OpenTelemetry Collector's file exporter
 * writes them, or set in any other way (see `JsonValues`); as UTF-8, or UTF-16 with a mark; compressed by gzip or, where Node
 * can (22.15), by zstd. What cannot be read is counted and passed over: the last line of a file that is still being written is
 * often half a line.
 */
export async function readData(chunks: AsyncIterable<Buffer | string>, sink: Sink): Promise<FileResult> {
  const result: FileResult = { items: 0, spans: 0, rejected: 0, unread: 0 }
  const bad = (error?: unknown) => {
    result.unread++
    if (error instanceof ForeignError && error.format !== undefined) result.format ??= error.format
    sink.drop('malformed')
  }
  const values = new JsonValues(
    MAX_VALUE,
    (value) => {
      const spans = sink.received.spans
      try {
        const { accepted, rejected } = sink.takeValue(value)
        result.items += accepted
        result.rejected += rejected
        result.spans += sink.received.spans - spans
      } catch (error) {
        if (!isMalformed(error)) throw error
        bad(error)
      }
    },
    bad,
  )
  for await (const chunk of await plain(chunks)) values.push(chunk)
  values.end()
  return result
}

/** The text of a file as UTF-8 without a mark, by what it begins with. @throws Error where it cannot be decompressed. */
async function plain(chunks: AsyncIterable<Buffer | string>): Promise<AsyncIterable<Buffer>> {
  const { head, rest } = await begin(buffers(chunks))
  if (head[0] === 0x1f && head[1] === 0x8b) return plain(through(rest, zlib.createGunzip()))
  if (head.readUInt32LE(0) === 0xfd2fb528) {
    if (typeof zlib.createZstdDecompress !== 'function') throw new Error('zstd needs Node 22.15 or later')
    return plain(through(rest, zlib.createZstdDecompress()))
  }
  if (head[0] === 0xff && head[1] === 0xfe) return decoded(rest, 'utf-16le')
  if (head[0] === 0xfe && head[1] === 0xff) return decoded(rest, 'utf-16be')
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return decoded(rest, 'utf-8')
  return rest
}

/** The first four bytes, zeros where there are fewer, and all of them again. */
async function begin(chunks: AsyncGenerator<Buffer>): Promise<{ head: Buffer; rest: AsyncIterable<Buffer> }> {
  let first = Buffer.alloc(0)
  let isDone = false
  while (first.length < 4 && !isDone) {
    const { done, value } = await chunks.next()
    if (done === true) isDone = true
    else first = Buffer.concat([first, value])
  }
  const head = Buffer.alloc(4)
  first.copy(head)
  async function* rest() {
    yield first
    if (!isDone) yield* chunks
  }
  return { head, rest: rest() }
}

async function* buffers(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

function through(chunks: AsyncIterable<Buffer>, decoder: Transform): AsyncIterable<Buffer> {
  const source = Readable.from(chunks)
  source.on('error', (error) => decoder.destroy(error))
  return source.pipe(decoder)
}

async function* decoded(chunks: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding)
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }))
  yield Buffer.from(decoder.decode())
}
