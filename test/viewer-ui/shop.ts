import { numbers } from './traces.js'

type Value = string | number | boolean

/** A span as `Sender` takes it; times are milliseconds after the beginning. */
export interface Made {
  trace: number
  id: number
  parent?: number
  service: string
  name: string
  at: number
  lasts: number
  kind?: number
  thread?: number
  threadName?: string
  pid?: number
  failed?: string
  attributes?: Record<string, Value>
  events?: { name: string; at: number; attributes: Record<string, Value> }[]
  links?: { trace: number; id: number }[]
}

export const STACK = `PaymentDeclinedError: The card was declined
    at charge (/srv/payments/src/charge.js:41:11)
    at run (/srv/payments/node_modules/stripe/lib/client.js:7:3)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`

export const traceOf = (number: number): string => number.toString(16).padStart(32, '0')
export const spanOf = (number: number): string => number.toString(16).padStart(16, '0')

const attribute = ([key, value]: [string, Value]) => ({
  key,
  value:
    typeof value === 'string'
      ? { stringValue: value }
      : typeof value === 'boolean'
        ? { boolValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
})
const attributes = (of: Record<string, Value>) => Object.entries(of).map(attribute)

/** Sends made-up telemetry as OTLP/HTTP JSON. */
export class Sender {
  /** Milliseconds since the epoch. */
  readonly begin: number

  constructor(
    readonly endpoint: string,
    begin = Date.now() - 20 * 60_000,
  ) {
    this.begin = begin
  }

  #nano(at: number): string {
    return String(BigInt(Math.round((this.begin + at) * 1000)) * 1000n)
  }

  #resource(service: string, pid: number) {
    return {
      attributes: attributes({
        'service.name': service,
        'service.version': '1.4.2',
        'host.name': `${service}-${pid % 2}`,
        'process.pid': pid,
        'deployment.environment.name': pid % 2 === 0 ? 'production' : 'staging',
        'telemetry.sdk.language': 'nodejs',
      }),
    }
  }

  async spans(made: readonly Made[]): Promise<void> {
    const byProcess = new Map<string, Made[]>()
    for (const one of made) {
      const key = `${one.service} ${one.pid ?? 100}`
      byProcess.set(key, [...(byProcess.get(key) ?? []), one])
    }
    const resourceSpans = [...byProcess.values()].map((all) => ({
      resource: this.#resource(all[0]!.service, all[0]!.pid ?? 100),
      scopeSpans: [{ scope: { name: 'shop' }, spans: all.map((one) => this.#span(one)) }],
    }))
    await this.#post('traces', { resourceSpans })
  }

  #span(one: Made) {
    const { trace, id, parent, name, at, lasts, kind = 1, thread = 0, threadName = 'main', failed } = one
    return {
      traceId: traceOf(trace),
      spanId: spanOf(id),
      parentSpanId: parent === undefined ? '' : spanOf(parent),
      name,
      kind,
      startTimeUnixNano: this.#nano(at),
      endTimeUnixNano: this.#nano(at + lasts),
      attributes: attributes({ 'thread.id': thread, 'thread.name': threadName, ...one.attributes }),
      events: (one.events ?? []).map((event) => ({
        name: event.name,
        timeUnixNano: this.#nano(event.at),
        attributes: attributes(event.attributes),
      })),
      links: (one.links ?? []).map((link) => ({ traceId: traceOf(link.trace), spanId: spanOf(link.id) })),
      status: failed === undefined ? {} : { code: 2, message: failed },
    }
  }

  async log(service: string, at: number, level: number, body: string, more: Record<string, unknown> = {}) {
    const record = {
      timeUnixNano: this.#nano(at),
      severityNumber: level,
      body: { stringValue: body },
      ...more,
    }
    const resource = this.#resource(service, 100)
    await this.#post('logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] })
  }

  /** A gauge with so many lines of sixty points each, so many milliseconds apart. */
  async gauge(
    name: string,
    unit: string,
    lines: number,
    scale: number,
    apart = 20_000,
    points = 60,
  ): Promise<void> {
    const random = numbers(lines)
    const dataPoints = Array.from({ length: lines }, (_, line) =>
      Array.from({ length: points }, (_, i) => ({
        timeUnixNano: this.#nano(i * apart),
        asDouble: scale * (1 + line / 4 + random() * 0.3),
        attributes: attributes(
          lines > 1 ? { 'v8js.heap.space.name': `space_number_${line}_of_the_heap` } : {},
        ),
      })),
    ).flat()
    const metrics = [{ name, unit, description: `About ${name}`, gauge: { dataPoints } }]
    const resource = this.#resource('shop', 100)
    await this.#post('metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] })
  }

  /** The event loop of two threads of a process of the shop, a point a second, and its memory. */
  async process(pid: number, at: number, points = 60): Promise<void> {
    const of = (more: Record<string, Value>, scale: number) =>
      Array.from({ length: points }, (_, i) => ({
        timeUnixNano: this.#nano(at + i * 1000),
        asDouble: scale * (1 + (i % 5) / 10),
        attributes: attributes(more),
      }))
    const threads = [
      { 'thread.id': 0, 'thread.name': 'main' },
      { 'thread.id': 3, 'thread.name': 'piscina worker 3' },
    ]
    const gauge = (name: string, unit: string, dataPoints: unknown[]) => ({
      name,
      unit,
      gauge: { dataPoints },
    })
    const metrics = [
      gauge(
        'nodejs.eventloop.utilization',
        '1',
        threads.flatMap((thread, i) => of(thread, 0.2 + i * 0.3)),
      ),
      gauge('process.memory.usage', 'By', of({}, 90e6)),
    ]
    const resource = this.#resource('shop', pid)
    await this.#post('metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] })
  }

  async #post(signal: string, body: unknown): Promise<void> {
    const answer = await fetch(`${this.endpoint}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (answer.status !== 200) throw new Error(`${signal}: ${answer.status} ${await answer.text()}`)
  }
}

const PATHS = ['/orders', '/orders/:id', '/products', '/cart', '/checkout']

/** Requests of a shop with nine services over twenty minutes: some fail, one is slow, some begin with a call. */
export async function shop(sender: Sender, requests = 600): Promise<void> {
  const random = numbers(11)
  const made: Made[] = []
  for (let i = 1; i <= requests; i++) {
    const at = (i / requests) * 20 * 60_000
    const path = PATHS[Math.floor(random() * PATHS.length)]!
    const slow = i === Math.floor(requests / 3)
    const lasts = slow ? 5700 : 10 + random() * random() * 360
    const status = slow ? 200 : random() < 0.03 ? 500 : random() < 0.06 ? 404 : random() < 0.05 ? 302 : 200
    const pid = 100 + (i % 2)
    const id = i * 10
    const paid = path === '/checkout'
    made.push(
      {
        trace: i,
        id,
        service: 'gateway',
        pid,
        name: `GET ${path}`,
        kind: 2,
        at,
        lasts,
        ...(status === 500 && { failed: 'Internal error' }),
        attributes: {
          'http.request.method': 'GET',
          'http.route': path,
          'url.path': path.replace(':id', String(i)),
          'http.response.status_code': status,
          'user_agent.original': 'curl/8',
        },
      },
      {
        trace: i,
        id: id + 1,
        parent: id,
        service: 'gateway',
        pid,
        name: 'GET',
        kind: 3,
        at: at + 1,
        lasts: lasts - 2,
      },
      {
        trace: i,
        id: id + 2,
        parent: id + 1,
        service: paid ? 'payments' : 'shop',
        pid,
        name: paid ? 'POST /charge' : `GET ${path}`,
        kind: 2,
        at: at + 1.5,
        lasts: lasts - 3,
        ...(status === 500 && {
          failed: 'The card was declined',
          events: [
            {
              name: 'exception',
              at: at + lasts / 2,
              attributes: {
                'exception.type': 'PaymentDeclinedError',
                'exception.message': 'The card was declined',
                'exception.stacktrace': STACK,
              },
            },
          ],
        }),
        attributes: { 'http.response.status_code': status, 'http.route': paid ? '/charge' : path },
      },
      {
        trace: i,
        id: id + 3,
        parent: id + 2,
        service: paid ? 'payments' : 'shop',
        pid,
        name: 'SELECT orders',
        kind: 3,
        at: at + 2,
        lasts: Math.max(1, (lasts - 5) * 0.7),
        attributes: {
          'db.system.name': 'postgresql',
          'db.query.text':
            'SELECT id, total FROM orders WHERE state = $1 AND customer = $2 ORDER BY created LIMIT 10',
        },
      },
    )
  }
  const others = ['search', 'mailer', 'images', 'inventory', 'billing', 'reports']
  for (const [n, service] of others.entries()) {
    for (let i = 0; i < 20; i++) {
      made.push({
        trace: 100_000 + n * 100 + i,
        id: 5_000_000 + n * 100 + i,
        service,
        name: `process ${service}`,
        kind: 5,
        at: i * 60_000,
        lasts: 20 + i + n,
        thread: 1,
      })
    }
  }
  await sender.spans(made)
  await sender.spans(pool(700_001, 40, 4))
  await sender.spans(pool(700_002, 400, 8))
  await sender.spans(loop(700_003))
  await sender.spans(deep(700_004, 400))
  await sender.log('shop', 600_000, 9, 'listening on 8080')
  await sender.log('shop', 610_000, 13, 'the cache is cold', {
    attributes: attributes({ 'cache.name': 'products' }),
  })
  await sender.log('payments', 620_000, 17, 'charge failed', { traceId: traceOf(1), spanId: spanOf(12) })
  await sender.log('payments', 620_001, 9, 'of the trace, of no span', { traceId: traceOf(1) })
  await sender.gauge('v8js.memory.heap.space.used', 'By', 16, 4e6)
  await sender.gauge('nodejs.eventloop.delay.p99', 's', 1, 0.004)
  await sender.gauge('process.memory.virtual', 'By', 1, 1.1e12)
}

/** A request that runs tasks in a pool, each with a span that was submitted on the main thread, as pools make them. */
export function pool(trace: number, tasks: number, workers: number): Made[] {
  const made: Made[] = []
  const free = Array.from({ length: workers }, () => 6)
  const base = trace * 10_000
  let end = 0
  for (let i = 0; i < tasks; i++) {
    const worker = free.indexOf(Math.min(...free))
    const submit = 2 + i * 0.02
    const start = Math.max(submit + 0.1, free[worker]!)
    const lasts = 8 + ((i * 7) % 11)
    free[worker] = start + lasts
    end = Math.max(end, start + lasts)
    // Workers that are told first have high numbers here: their order is not that of their arrival.
    const thread = workers - worker
    made.push(
      {
        trace,
        id: base + 10 + i * 3,
        parent: base + 1,
        service: 'images',
        name: 'pool.run',
        at: submit,
        lasts: start + lasts + 0.2 - submit,
      },
      {
        trace,
        id: base + 11 + i * 3,
        parent: base + 10 + i * 3,
        service: 'images',
        name: 'resize',
        at: start,
        lasts,
        thread,
        threadName: 'piscina worker',
        ...(i === 9 && { failed: 'no picture' }),
        attributes: { 'threadspan.queue.wait': start - submit },
      },
      {
        trace,
        id: base + 12 + i * 3,
        parent: base + 11 + i * 3,
        service: 'images',
        name: 'decode',
        at: start + 1,
        lasts: lasts / 2,
        thread,
        threadName: 'piscina worker',
      },
    )
  }
  made.unshift({
    trace,
    id: base + 1,
    service: 'images',
    name: 'POST /pictures',
    kind: 2,
    at: 0,
    lasts: end + 3,
  })
  return made
}

/** A statement in a loop, with a link to another trace. */
function loop(trace: number): Made[] {
  const base = trace * 10_000
  return [
    {
      trace,
      id: base,
      service: 'reports',
      name: 'monthly report',
      at: 0,
      lasts: 400,
      links: [{ trace: 1, id: 12 }],
    },
    ...Array.from({ length: 60 }, (_, i) => ({
      trace,
      id: base + 1 + i,
      parent: base,
      service: 'reports',
      name: 'SELECT customers',
      kind: 3,
      at: 2 + i * 6,
      lasts: 5,
      attributes: { 'db.query.text': `SELECT * FROM customers WHERE id = ${i}` },
    })),
  ]
}

/** Calls within calls, as deep as is asked for. */
function deep(trace: number, levels: number): Made[] {
  const base = trace * 10_000
  return Array.from({ length: levels }, (_, i) => ({
    trace,
    id: base + i,
    ...(i > 0 && { parent: base + i - 1 }),
    service: 'search',
    name: `level ${i}`,
    at: i * 0.1,
    lasts: (levels - i) * 0.3,
  }))
}
