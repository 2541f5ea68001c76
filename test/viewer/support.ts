import { request as httpRequest } from 'node:http'
import type { TestContext } from 'node:test'
import { concat, encodeResource, encodeScope, lengthDelimited } from '#dist/otlp/encode.js'
import { encodeSpan } from '#dist/otlp/encode-span.js'
import { startViewer } from '#dist/viewer/server.js'
import type { Attributes, Span } from '../../src/otlp/types.js'
import type { Viewer, ViewerOptions } from '../../src/viewer/server.js'

/** A viewer on a free port that ends with the test. */
export async function viewer(t: TestContext, options: ViewerOptions = {}): Promise<Viewer> {
  const started = await startViewer({ port: 0, ...options })
  t.after(() => started.close())
  return started
}

const epoch = 1_790_000_000_000_000_000n
export const origin = Number(epoch) / 1e6

interface Sketch extends Partial<Omit<Span, 'attributes'>> {
  attributes?: Record<string, Attributes[string]>
  /** Milliseconds after `origin`. */
  at?: number
  /** Milliseconds. */
  lasts?: number
}

export const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0')
export const traceId = (number: number) => hex(number, 32)
export const spanId = (number: number) => hex(number, 16)

/** A span with what matters to a test; numbers stand for ids. */
export function span(trace: number, id: number, parent: number, sketch: Sketch = {}): Span {
  const { at = 0, lasts = 1, attributes = {}, ...rest } = sketch
  const start = epoch + BigInt(Math.round(at * 1e6))
  return {
    traceId: traceId(trace),
    spanId: spanId(id),
    parentSpanId: parent === 0 ? '' : spanId(parent),
    traceState: '',
    flags: 0x101,
    name: `span ${id}`,
    kind: 1,
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(Math.round(lasts * 1e6)),
    attributes,
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
    ...rest,
  }
}

/** The bytes of an ExportTraceServiceRequest of one resource. */
export function body(
  spans: Span[],
  resource: Record<string, Attributes[string]> = { 'service.name': 'orders', 'process.pid': 1 },
): Uint8Array {
  const encoded = spans.map((one) => lengthDelimited(0x12, encodeSpan(one)))
  const scope = lengthDelimited(0x0a, encodeScope('tests', '1'))
  const parts = [
    lengthDelimited(0x0a, encodeResource(resource)),
    lengthDelimited(0x12, concat([scope, ...encoded])),
  ]
  return lengthDelimited(0x0a, concat(parts))
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  json: () => unknown
}

/** One HTTP request with exactly these headers; `fetch` does not let a test choose Host and Origin. */
export function send(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: Uint8Array | string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = options.body === undefined ? 'GET' : 'POST', headers = {} } = options
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const received = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: received,
          json: () => JSON.parse(received.toString()) as unknown,
        })
      })
    })
    request.on('error', reject)
    request.end(options.body)
  })
}

/** Sends spans as protobuf. */
export function post(
  to: Viewer,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
  signal = 'traces',
): Promise<Answer> {
  return send(`${to.endpoint}/v1/${signal}`, {
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: bytes,
  })
}

/** The JSON answer of a path under `/api`. */
export async function api<T>(of: Viewer, path: string): Promise<T> {
  const answer = await send(`${of.endpoint}/api/${path}`)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body.toString()}`)
  return answer.json() as T
}
