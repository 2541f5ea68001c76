// What the viewer's store costs: spans taken in per second and bytes kept per span, for 1,000,000 spans.
// Usage: node --expose-gc bench/viewer.js [spans]
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'

const file = (name) => pathToFileURL(resolve(process.env.THREADSPAN_DIST ?? 'dist', name)).href
const { Store } = await import(file('viewer/store/store.js'))
const { encodeSpan } = await import(file('otlp/encode-span.js'))
const { concat, encodeResource, encodeScope, lengthDelimited } = await import(file('otlp/encode.js'))

const total = Number(process.argv[2] ?? 1_000_000)
const perTrace = 50
const perRequest = 500
const resource = lengthDelimited(
  0x0a,
  encodeResource({ 'service.name': 'bench', 'process.pid': 4242, 'host.name': 'localhost' }),
)
const scope = lengthDelimited(0x0a, encodeScope('bench', '1.0.0'))
const hex = (number, digits) => number.toString(16).padStart(digits, '0')
const epoch = 1_790_000_000_000_000_000n

/** One request of spans as a worker pool makes them: a SERVER root, INTERNAL tasks on eight threads, client calls. */
function request(first) {
  const spans = []
  for (let i = first; i < first + perRequest; i++) {
    const trace = Math.floor(i / perTrace)
    const inTrace = i % perTrace
    const start = epoch + BigInt(i) * 20_000n
    spans.push(
      lengthDelimited(
        0x12,
        encodeSpan({
          traceId: hex(trace + 1, 32),
          spanId: hex(i + 1, 16),
          parentSpanId: inTrace === 0 ? '' : hex(trace * perTrace + 1, 16),
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

const store = new Store({ maxSpans: total, maxBytes: 4 * 2 ** 30 })
globalThis.gc?.()
const before = process.memoryUsage()
let spent = 0
let cpu = 0
let encoded = 0
for (let i = 0; i < total; i += perRequest) {
  const body = request(i)
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
console.log(
  JSON.stringify(
    {
      spans: store.spans,
      traces: store.traces.size,
      'ingest, spans/s': Math.round(total / (spent / 1000)),
      'ingest, spans per second of processor time': Math.round(total / (cpu / 1e6)),
      'settle, ms': Math.round(settled),
      'encoded, bytes/span': Math.round(encoded / total),
      'kept, bytes/span': Math.round((heap + outside) / store.spans),
      'of that JavaScript heap, bytes/span': Math.round(heap / store.spans),
      'resident, MiB': Math.round(after.rss / 2 ** 20),
    },
    null,
    2,
  ),
)
