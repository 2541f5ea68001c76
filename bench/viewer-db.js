// What a viewer with a database holds, and how fast it answers: writes spans into a file, opens it again, and asks for every list and chart.
// Usage: node --expose-gc bench/viewer-db.js [spans] [file]
// The file is kept where it is named, and filled only if it is not there yet.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'

const file = (name) => pathToFileURL(resolve(process.env.THREADSPAN_DIST ?? 'dist', name)).href
const { encodeSpan } = await import(file('otlp/encode-span.js'))
const { concat, encodeResource, encodeScope, lengthDelimited } = await import(file('otlp/encode.js'))
const { ViewerData } = await import(file('viewer/data.js'))
const { startViewer } = await import(file('viewer/server.js'))

const PER_TRACE = 50
const TRACES_PER_REQUEST = 20
const SERVICES = 20
/** Milliseconds between two traces: 10,000,000 spans are a day. */
const APART = 432
const ROUNDS = 5

const scope = lengthDelimited(0x0a, encodeScope('bench', '1.0.0'))
const resources = Array.from({ length: SERVICES * 2 }, (_, i) =>
  lengthDelimited(
    0x0a,
    encodeResource({
      'service.name': `service-${i >> 1}`,
      'process.pid': 4000 + i,
      'host.name': `host-${i % 8}`,
      'telemetry.sdk.language': 'nodejs',
    }),
  ),
)
const hex = (number, digits) => number.toString(16).padStart(digits, '0')
// Ids as random as real ones, and the same in each run.
let seed = 1
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed
}
const epoch = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n

/** A request of a service with tasks on eight threads and queries, one in a hundred failing. */
function encodeTrace(number) {
  const traceId = hex(random(), 8) + hex(number, 8) + hex(random(), 8) + hex(random(), 8)
  const rootId = hex(random(), 8) + hex(number, 8)
  const begin = epoch + BigInt(number) * BigInt(APART) * 1_000_000n
  const fails = number % 100 === 0
  const spans = []
  for (let i = 0; i < PER_TRACE; i++) {
    const isTask = i % 2 === 1
    const start = begin + BigInt(i * 100_000)
    const failed = fails && i === PER_TRACE - 1
    spans.push(
      lengthDelimited(
        0x12,
        encodeSpan({
          traceId,
          spanId: i === 0 ? rootId : hex(random(), 8) + hex(i, 8),
          parentSpanId: i === 0 ? '' : rootId,
          traceState: '',
          flags: 0x101,
          name: i === 0 ? `GET /items/${number % 25}` : isTask ? 'resize' : 'SELECT orders',
          kind: i === 0 ? 2 : isTask ? 1 : 3,
          startTimeUnixNano: start,
          endTimeUnixNano: start + BigInt(5_000_000 + (random() % 50_000_000)),
          attributes:
            i === 0
              ? {
                  'thread.id': 0,
                  'http.response.status_code': fails ? 500 : 200,
                  'http.route': '/items/:id',
                  'user.id': `u${number % 5000}`,
                }
              : isTask
                ? { 'thread.id': 1 + (i % 8), 'thread.name': 'piscina', 'threadspan.queue.wait': 0.25 }
                : {
                    'thread.id': 0,
                    'db.system.name': 'postgresql',
                    'db.query.text': 'SELECT * FROM orders WHERE id = $1',
                  },
          droppedAttributesCount: 0,
          events: failed
            ? [
                {
                  timeUnixNano: start,
                  name: 'exception',
                  attributes: {
                    'exception.type': `Error${number % 7}`,
                    'exception.message': 'it broke',
                    'exception.stacktrace': `Error: it broke\n    at run (/app/src/orders.js:${number % 7}:5)`,
                  },
                  droppedAttributesCount: 0,
                },
              ]
            : [],
          droppedEventsCount: 0,
          links: [],
          droppedLinksCount: 0,
          status: { code: failed || (fails && i === 0) ? 2 : 0, message: '' },
        }),
      ),
    )
  }
  const resource = resources[number % resources.length]
  return lengthDelimited(0x0a, concat([resource, lengthDelimited(0x12, concat([scope, ...spans]))]))
}

async function fill(options, total) {
  const data = await ViewerData.open(options)
  const start = performance.now()
  let spent = 0
  for (let trace = 0; trace < total / PER_TRACE; trace += TRACES_PER_REQUEST) {
    const body = concat(Array.from({ length: TRACES_PER_REQUEST }, (_, i) => encodeTrace(trace + i)))
    const before = performance.now()
    data.sink.take('traces', 'protobuf', body)
    spent += performance.now() - before
  }
  data.close()
  return {
    'written, s, with making them': seconds(performance.now() - start),
    'written, spans/s': Math.round(total / (spent / 1000)),
  }
}

const seconds = (ms) => Math.round(ms / 100) / 10

const agent = new Agent({ keepAlive: true })
function ask(url) {
  return new Promise((done, fail) => {
    get(url, { agent }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        if (response.statusCode === 200) done(JSON.parse(body.toString()))
        else fail(new Error(`${url}: ${response.statusCode} ${body}`))
      })
    }).on('error', fail)
  })
}

/** Median of five, and the first one, milliseconds. */
async function time(url) {
  const times = []
  for (let i = 0; i < ROUNDS; i++) {
    const start = performance.now()
    await ask(url)
    times.push(performance.now() - start)
  }
  const [first] = times
  times.sort((a, b) => a - b)
  return [Math.round(first), Math.round(times[ROUNDS >> 1])]
}

const total = Number(process.argv[2] ?? 10_000_000)
const folder = process.argv[3] === undefined ? mkdtempSync(join(tmpdir(), 'threadspan-bench-')) : undefined
const db = process.argv[3] ?? join(folder, 'traces.db')
try {
  const options = { db, maxSpans: total, maxBytes: total * 600 }
  const result = {
    node: process.version,
    processors: availableParallelism(),
    'load before': loadavg()[0].toFixed(1),
  }
  if (!existsSync(db)) Object.assign(result, await fill(options, total))
  result['file, bytes/span'] = Math.round(statSync(db).size / total)
  globalThis.gc?.()
  const start = performance.now()
  const viewer = await startViewer({ port: 0, ...options })
  result['opened, s'] = seconds(performance.now() - start)
  result.spans = viewer.status().spans
  result['resident, MiB'] = Math.round(process.memoryUsage().rss / 2 ** 20)
  const url = `${viewer.endpoint}/api/`
  const [latest] = await ask(`${url}traces?limit=1`)
  const [error] = await ask(`${url}errors`)
  const hour = `from=${latest.start - 3_600_000}`
  const times = {}
  for (const path of [
    'status',
    'services',
    'transactions',
    'transactions?service=service-3',
    `transactions?${hour}`,
    'series',
    'series?service=service-3',
    'distribution',
    'distribution?status=error',
    'traces',
    'traces?min=50',
    'traces?status=error',
    'traces?search=is:error',
    'traces?search=user.id=u7',
    `traces?search=nowhere&${hour}`,
    'traces?search=nowhere',
    'traces?search=7777',
    'traces?search=user.id%3E5',
    // What no signature tells: each span is read.
    'traces?search=thread.id=99',
    'traces?search=qx',
    'traces?search=true',
    'map',
    'errors',
    `errors/${error?.fingerprint}`,
    `trace/${latest.traceId}`,
    'metrics',
  ]) {
    times[path.replace(/\d{13}/, '…').replace(/[0-9a-f]{16,}/, '…')] = await time(url + path)
  }
  result['answers, ms: first, median of 5'] = Object.fromEntries(
    Object.entries(times).map(([k, v]) => [k, v.join(', ')]),
  )
  agent.destroy()
  await viewer.close()
  console.log(JSON.stringify(result, null, 2))
} finally {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}
