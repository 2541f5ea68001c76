import type {
  Distribution,
  ErrorDetail,
  LogList,
  MetricRow,
  MetricSeries,
  ProcessRow,
  Series,
  ServiceMap,
  ServiceRow,
  Status,
  TransactionRow,
} from '../../src/viewer/api.js'
import { numbers, ORIGIN, SCRIPT } from './traces.js'

const latency = (count: number, errors: number, p50: number) => ({
  count,
  errors,
  throughput: count / 30,
  p50,
  p95: p50 * 2.1,
  p99: p50 * 3.4,
  mean: p50 * 1.2,
})

export const TRANSACTIONS: TransactionRow[] = [
  {
    service: 'shop',
    type: 'request',
    name: 'POST /orders/:id/pictures',
    ...latency(1204, 31, 148),
    impact: 0.61,
    threads: 5,
  },
  {
    service: 'shop',
    type: 'request',
    name: 'GET /orders/:id',
    ...latency(9312, 4, 9.4),
    impact: 0.21,
    threads: 1,
  },
  {
    service: 'shop',
    type: 'request',
    name: 'GET /products',
    ...latency(5120, 0, 11.2),
    impact: 0.13,
    threads: 2,
  },
  { service: 'batch', type: 'task', name: 'reindex', ...latency(3, 0, 41_000), impact: 0.05, threads: 64 },
]

export const SERVICES: ServiceRow[] = [
  {
    service: 'shop',
    ...latency(15_636, 35, 12.1),
    processes: 2,
    language: 'nodejs',
    calls: 0,
    trend: [1, 2, 3],
  },
  {
    service: 'batch',
    ...latency(3, 0, 41_000),
    processes: 1,
    language: 'nodejs',
    calls: 2,
    trend: [0, 0, 3],
  },
]

/** The selection over time. */
export function seriesData(): Series {
  const random = numbers(3)
  const times = Array.from({ length: 60 }, (_, i) => ORIGIN - (60 - i) * 30_000)
  const count = times.map((_, i) => Math.round(200 + 80 * Math.sin(i / 7) + random() * 60))
  const p50 = count.map(() => 11 + random() * 3)
  return {
    step: 30_000,
    times,
    count,
    errors: count.map((_, i) => (i > 40 && i < 46 ? Math.round(random() * 14) : 0)),
    classes: [{ name: '2xx', count }],
    mean: p50.map((value) => value * 1.2),
    p50,
    p95: p50.map((value, i) => value * 2.2 + (i > 40 && i < 46 ? 30 : 0)),
    p99: p50.map((value) => value * 3 + random() * 30),
  }
}

/** The latency histogram, and breakdowns. */
export function distributionData(): Distribution {
  const random = numbers(5)
  const buckets = Array.from({ length: 48 }, (_, i) => {
    const from = 2 * 1.14 ** i
    const count = Math.round(
      900 * Math.exp(-(((i - 12) / 5) ** 2)) + 160 * Math.exp(-(((i - 34) / 4) ** 2)) + random() * 6,
    )
    return { from, to: from * 1.14, count, errors: i > 33 ? Math.round(count * 0.2) : 0 }
  })
  return {
    buckets,
    statuses: [
      { status: '200', count: 15_100 },
      { status: '404', count: 501 },
      { status: 'error', count: 35 },
    ],
    hosts: [
      { host: 'web-1', count: 8000 },
      { host: 'web-2', count: 7636 },
    ],
  }
}

/** One group of errors, with what its page shows. */
export function errorData(traceId: string): ErrorDetail {
  const times = Array.from({ length: 40 }, (_, i) => ORIGIN - (40 - i) * 60_000)
  const frame = (text: string, file: string, line: number, library: boolean) => ({
    text,
    file,
    line,
    library,
  })
  return {
    fingerprint: 'f00d00000000cafe',
    type: 'TypeError',
    message: `The picture is not a JPEG file ${SCRIPT}`,
    culprit: 'src/pictures.js:31',
    count: 31,
    first: ORIGIN - 2_400_000,
    last: ORIGIN,
    services: ['shop'],
    transactions: ['POST /orders/:id/pictures'],
    series: { step: 60_000, times, count: times.map((_, i) => (i % 7 === 0 ? 4 : i % 3)) },
    occurrences: [0, 1].map((i) => ({
      traceId,
      spanId: '000000000000000a',
      transaction: 'POST /orders/:id/pictures',
      service: 'shop',
      time: ORIGIN - i * 60_000,
      message: 'The picture is not a JPEG file',
      stack: [
        frame('at decode (src/pictures.js:31:11)', 'src/pictures.js', 31, false),
        frame('at resize (src/pictures.js:12:20)', 'src/pictures.js', 12, false),
        frame(
          'at onMessage (node_modules/piscina/dist/worker.js:140:18)',
          'node_modules/piscina/dist/worker.js',
          140,
          true,
        ),
        frame('at MessagePort.emit (node:events:519:28)', 'node:events', 519, true),
      ],
      closed: i === 1 ? 'terminate' : null,
    })),
  }
}

export const PROCESSES: ProcessRow[] = [
  {
    process: '7@web-1',
    service: 'shop',
    host: 'web-1',
    pid: '7',
    runtime: 'nodejs 24.1.0',
    version: '1.2.3',
    threads: [
      { id: '0', name: 'main' },
      { id: '4', name: 'piscina worker 4' },
    ],
    metrics: 6,
    ...latency(15_636, 35, 12.1),
  },
]

export const METRICS: MetricRow[] = [
  {
    name: 'nodejs.eventloop.delay.p99',
    unit: 's',
    description: 'Event loop delay',
    kind: 'gauge',
    services: ['shop'],
    series: 2,
  },
  {
    name: 'v8js.memory.heap.used',
    unit: 'By',
    description: 'Heap in use',
    kind: 'sum',
    services: ['shop', 'batch'],
    series: 3,
  },
  {
    name: 'piscina.queue.size',
    unit: '{task}',
    description: 'Tasks that wait for a thread',
    kind: 'gauge',
    services: ['shop'],
    series: 1,
  },
  {
    name: 'http.server.request.duration',
    unit: 's',
    description: 'Duration of requests',
    kind: 'histogram',
    services: ['shop'],
    series: 3,
  },
]

/** Values of one metric. */
export function metricData(name: string): MetricSeries | null {
  const row = METRICS.find((metric) => metric.name === name)
  if (row === undefined) return null
  const random = numbers(name.length)
  const base = { s: 0.004, By: 48e6 }[row.unit] ?? 12
  const times = Array.from({ length: 90 }, (_, i) => ORIGIN - (90 - i) * 10_000)
  const lines = Array.from({ length: row.series }, (_, line) => {
    let value = base * (1 + line * 0.4)
    return {
      label: row.series === 1 ? row.name : `thread ${line === 0 ? 'main' : line}`,
      values: times.map((_, i) => {
        value = Math.max(0, value + (random() - 0.5) * base * 0.2)
        return line === 1 && i > 30 && i < 36 ? null : value
      }),
    }
  })
  return { name: row.name, unit: row.unit, kind: row.kind, shared: '', times, lines }
}

/** What the viewer says of itself. */
export function statusData(empty: boolean, spans: number): Status {
  return {
    version: '0.1.0',
    traces: empty ? 0 : 4,
    spans: empty ? 0 : spans,
    bytes: empty ? 0 : 14_200_000,
    maxSpans: 1_000_000,
    maxBytes: 512_000_000,
    received: { spans, metrics: 4, logs: 0, requests: 12 },
    dropped: empty ? {} : { evicted: 120 },
    orphans: 1,
    endpoint: 'http://127.0.0.1:4318',
    db: null,
    from: empty ? null : ORIGIN,
    to: empty ? null : ORIGIN + 60_000,
  }
}

/** Log records of all kinds. */
export function logsData(empty: boolean): LogList {
  const times = Array.from({ length: 30 }, (_, i) => ORIGIN + i * 2000)
  const logs = ['fatal', 'error', 'warn', 'info', ''].map((severity, i) => ({
    time: ORIGIN + i,
    severity,
    level: severity === '' ? 0 : 21 - i * 4,
    body: `record ${i} ${SCRIPT}`,
    service: 'shop',
    host: 'web-1',
    traceId: i === 1 ? '0a'.repeat(16) : '',
    spanId: i === 1 ? '0000000000000003' : '',
    attributes: { 'app.note': SCRIPT },
  }))
  return {
    total: empty ? 0 : logs.length,
    logs: empty ? [] : logs,
    series: { step: 2000, times, levels: [{ name: 'info', count: times.map((_, i) => i % 4) }] },
  }
}

/** Who calls whom, with a circle and a call to oneself. */
export function mapData(): ServiceMap {
  const edge = (from: string, to: string, errors = 0) => ({
    ...{ from, to, errors },
    count: 40,
    throughput: 4,
    mean: 12,
    p95: 40,
  })
  return {
    nodes: [
      { id: 'shop', name: 'shop', kind: 'service', calls: 80 },
      { id: 'batch', name: `batch ${SCRIPT}`, kind: 'service', calls: 40 },
      { id: 'database postgresql', name: 'postgresql', kind: 'database', calls: 40 },
      { id: 'queue kafka orders', name: 'kafka orders', kind: 'queue', calls: 40 },
    ],
    edges: [
      edge('shop', 'database postgresql', 4),
      edge('shop', 'queue kafka orders'),
      edge('queue kafka orders', 'batch'),
      edge('batch', 'shop'),
      edge('shop', 'shop'),
    ],
    left: 3,
  }
}
