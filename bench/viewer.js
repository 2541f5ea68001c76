// What the viewer takes in, and what it keeps: spans per second over HTTP from another process and into the store itself,
// and bytes per span, for 1,000,000 spans.
// Usage: node --expose-gc bench/viewer.js [spans]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { availableParallelism, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath, pathToFileURL } from 'node:url'

const file = (name) => pathToFileURL(resolve(process.env.THREADSPAN_DIST ?? 'dist', name)).href
const { encodeSpan } = await import(file('otlp/encode-span.js'))
const { concat, encodeResource, encodeScope, lengthDelimited } = await import(file('otlp/encode.js'))

const PER_TRACE = 50
// About what OpenTelemetry's batch processor sends at once.
const PER_REQUEST = 500
const CONNECTIONS = 4
const ROUNDS = 5

const resource = lengthDelimited(
  0x0a,
  encodeResource({ 'service.name': 'bench', 'process.pid': 4242, 'host.name': 'localhost' }),
)
const scope = lengthDelimited(0x0a, encodeScope('bench', '1.0.0'))
const hex = (number, digits) => number.toString(16).padStart(digits, '0')
const epoch = 1_790_000_000_000_000_000n

/** One request of spans as a worker pool makes them: a SERVER root, INTERNAL tasks on eight threads. */
function encodeRequest(first) {
  const spans = []
  for (let i = first; i < first + PER_REQUEST; i++) {
    const trace = Math.floor(i / PER_TRACE)
    const inTrace = i % PER_TRACE
    const start = epoch + BigInt(i) * 20_000n
    spans.push(
      lengthDelimited(
        0x12,
        encodeSpan({
          traceId: hex(trace + 1, 32),
          spanId: hex(i + 1, 16),
          parentSpanId: inTrace === 0 ? '' : hex(trace * PER_TRACE + 1, 16),
          traceState: '',
          flags: 0x101,
          name: inTrace === 0 ? `GET /orders/${trace % 20}` : `task ${inTrace}`,
          kind: inTrace === 0 ? 2 : 1,
          startTimeUnixNano: start,
          endTimeUnixNano: start + 5_000_000n,
          attributes: {
            'thread.id': inTrace % 8,
            'thread.name': `piscina-${inTrace % 8}`,
            'threadspan.queue.wait': 0.25,
            'code.function.name': 'handler',
            'http.route': '/orders/:id',
          },
          droppedAttributesCount: 0,
          events: [],
          droppedEventsCount: 0,
          links: [],
          droppedLinksCount: 0,
          status: { code: i % 100 === 0 ? 2 : 0, message: '' },
        }),
      ),
    )
  }
  return lengthDelimited(0x0a, concat([resource, lengthDelimited(0x12, concat([scope, ...spans]))]))
}

/** The other process: encodes a round of requests, then sends them as fast as they are answered. */
async function send(url, spans) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const post = (body) =>
    new Promise((done, fail) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
      const request = httpRequest(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
        response.resume()
        response.on('end', () => (response.statusCode === 200 ? done() : fail(response.statusCode)))
      })
      request.on('error', fail)
      request.end(body)
    })
  for (let round = 0; round < ROUNDS; round++) {
    const bodies = []
    for (let i = 0; i < spans; i += PER_REQUEST) bodies.push(encodeRequest(round * spans + i))
    const start = performance.now()
    const sender = async () => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) await post(body)
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, sender))
    process.send(spans / ((performance.now() - start) / 1000))
  }
  agent.destroy()
  process.disconnect()
}

async function measureHttp(total) {
  const { startViewer } = await import(file('viewer/server.js'))
  const viewer = await startViewer({ port: 0, maxSpans: total })
  const perRound = Math.floor(total / ROUNDS / PER_REQUEST) * PER_REQUEST
  const child = fork(fileURLToPath(import.meta.url), ['send', viewer.endpoint, String(perRound)])
  const rates = []
  child.on('message', (rate) => rates.push(rate))
  await once(child, 'exit')
  const { spans, bytes, maxBytes } = viewer.status()
  await viewer.close()
  if (spans !== perRound * ROUNDS) throw new Error(`${perRound * ROUNDS} spans were sent, ${spans} are kept`)
  rates.sort((a, b) => a - b)
  return {
    'over HTTP, spans/s, median of 5': Math.round(rates[rates.length >> 1]),
    'least and most': [rates[0], rates.at(-1)].map(Math.round),
    'kept of its bound, bytes': [bytes, maxBytes],
  }
}

async function measureStore(total) {
  const { Store } = await import(file('viewer/store/store.js'))
  const store = new Store({ maxSpans: total, maxBytes: 4 * 2 ** 30 })
  globalThis.gc?.()
  const before = process.memoryUsage()
  let spent = 0
  let cpu = 0
  let encoded = 0
  for (let i = 0; i < total; i += PER_REQUEST) {
    const body = encodeRequest(i)
    encoded += body.length
    const start = performance.now()
    const used = process.cpuUsage()
    store.ingest(body)
    const { user, system } = process.cpuUsage(used)
    cpu += user + system
    spent += performance.now() - start
  }
  globalThis.gc?.()
  const after = process.memoryUsage()
  const start = performance.now()
  store.settle()
  const settled = performance.now() - start
  const heap = after.heapUsed - before.heapUsed
  const outside = after.arrayBuffers - before.arrayBuffers
  return {
    spans: store.spans,
    traces: store.traces.size,
    'into the store, spans/s': Math.round(total / (spent / 1000)),
    'into the store, spans per second of processor time': Math.round(total / (cpu / 1e6)),
    'settle, ms': Math.round(settled),
    'encoded, bytes/span': Math.round(encoded / total),
    'kept, bytes/span': Math.round((heap + outside) / store.spans),
    'of that JavaScript heap, bytes/span': Math.round(heap / store.spans),
    'resident, MiB': Math.round(after.rss / 2 ** 20),
  }
}

if (process.argv[2] === 'send') await send(process.argv[3], Number(process.argv[4]))
else {
  const total = Number(process.argv[2] ?? 1_000_000)
  const load = loadavg()[0].toFixed(1)
  const store = await measureStore(total)
  globalThis.gc?.()
  const http = await measureHttp(total)
  console.log(
    JSON.stringify(
      {
        node: process.version,
        processors: availableParallelism(),
        'load before': load,
        ...store,
        ...http,
      },
      null,
      2,
    ),
  )
}
