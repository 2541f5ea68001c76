import { Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'
import { parseJson } from '../../otlp/json-parse.js'
import { ForeignReader, type ForeignTraces } from '../formats/foreign.js'
import { ForeignError, formatOf, signalIn } from './formats.js'
import { JsonValues } from './json-values.js'
import { isMalformed, type Sink, type Taken } from './sink.js'

/** Longest JSON value of a file; a longer one is passed over. */
const MAX_VALUE = 64 * 1024 * 1024

/** Most times that a file may be compressed over: there are files of a hundred bytes that decompress to themselves. */
const MAX_LAYERS = 4

/** What reading a file brought. */
export interface FileResult {
  /** Spans, data points and log records kept. */
  items: number
  spans: number
  /** Items refused. */
  rejected: number
  /** Pieces in no format that is read here, or too long. */
  unread: number
  /** What they are, where that can be told: `a Chrome trace`. */
  format?: string
}

/**
 * Reads OTLP JSON: `TracesData`, `MetricsData` or `LogsData` objects, one to a line as the OpenTelemetry Collector's file exporter
 * writes them, or set in any other way (see `JsonValues`); traces as the JSON of Jaeger, Zipkin (v2) or Grafana Tempo, too. As UTF-8, or
 * UTF-16 with a mark; compressed by gzip or, where Node can (22.15), by zstd. What cannot be read is counted and passed over: the last
 * line of a file that is still being written is often half a line.
 */
export async function readData(chunks: AsyncIterable<Buffer | string>, sink: Sink): Promise<FileResult> {
  const reading = new Reading(sink)
  const values = new JsonValues(
    MAX_VALUE,
    (value) => reading.take(value),
    () => reading.bad(),
  )
  for await (const chunk of await plain(chunks)) values.push(chunk)
  values.end()
  reading.end()
  return reading.result
}

/** One file on its way into the sink. */
class Reading {
  readonly result: FileResult = { items: 0, spans: 0, rejected: 0, unread: 0 }
  readonly #foreign = new ForeignReader()

  constructor(private readonly sink: Sink) {}

  take(value: Buffer): void {
    const { sink } = this
    const spans = sink.received.spans
    try {
      const json = parseJson(value)
      const signal = signalIn(json)
      if (signal !== undefined) this.#count(sink.takeValue(signal, json, value))
      else {
        const traces = this.#foreign.take(json, value.length)
        if (traces === undefined) throw new ForeignError(formatOf(json))
        this.#keep(traces)
      }
    } catch (error) {
      if (!isMalformed(error)) throw error
      this.bad(error)
    }
    this.result.spans += sink.received.spans - spans
  }

  end(): void {
    const spans = this.sink.received.spans
    this.#keep(this.#foreign.end())
    this.result.spans += this.sink.received.spans - spans
  }

  bad(error?: unknown): void {
    this.result.unread++
    if (error instanceof ForeignError && error.format !== undefined) this.result.format ??= error.format
    this.sink.drop('malformed')
  }

  #keep({ requests, refused }: ForeignTraces): void {
    this.result.rejected += refused
    this.sink.drop('malformed', refused)
    if (requests.length > 0) this.#count(this.sink.takeSpans(requests))
  }

  #count({ accepted, rejected }: Taken): void {
    this.result.items += accepted
    this.result.rejected += rejected
  }
}

/** The text of a file as UTF-8 without a mark, by what it begins with. @throws Error where it cannot be decompressed. */
async function plain(chunks: AsyncIterable<Buffer | string>, layers = 0): Promise<AsyncIterable<Buffer>> {
  const { head, rest } = await begin(buffers(chunks))
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  const isZstd = head.readUInt32LE(0) === 0xfd2fb528
  if ((isGzip || isZstd) && layers === MAX_LAYERS)
    throw new Error(`it is compressed more than ${MAX_LAYERS} times over`)
  if (isGzip) return plain(through(rest, zlib.createGunzip()), layers + 1)
  if (isZstd) {
    if (typeof zlib.createZstdDecompress !== 'function') throw new Error('zstd needs Node 22.15 or later')
    return plain(through(rest, zlib.createZstdDecompress()), layers + 1)
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
