/** One trace, as each kind of source keeps it and answers it by its documented API. */
import type { IncomingMessage } from 'node:http'
import { body, span } from './support.js'

export const TRACE = '0af7651916cd43dd8448eb211c80319c'

/** What a handler of a test's server is asked. */
export interface Asked {
  method: string
  /** Path and query. */
  url: URL
  headers: IncomingMessage['headers']
  body: string
}

/** What it answers: JSON unless it is bytes or text. */
export interface Answered {
  status?: number
  type?: string
  body: unknown
}

type Values = Record<string, string | number>

interface Plain {
  id: string
  parent: string
  name: string
  kind: 'server' | 'internal'
  /** Microseconds after the start of the trace. */
  at: number
  lasts: number
  attributes: Values
}

export const RESOURCE: Values = { 'service.name': 'shop', 'process.pid': 42, 'host.name': 'host-1' }

const START_MICROS = 1_790_000_000_000_000

/** A request that gives two tasks to a pool, which run at the same time, having waited. */
export const SPANS: Plain[] = [
  {
    id: 'b7ad6b7169203331',
    parent: '',
    name: 'GET /report',
    kind: 'server',
    at: 0,
    lasts: 100_000,
    attributes: { 'thread.id': 0, 'thread.name': 'main', 'http.response.status_code': 200 },
  },
  ...[1, 2].map(
    (worker): Plain => ({
      id: `b7ad6b716920333${worker + 1}`,
      parent: 'b7ad6b7169203331',
      name: 'resize',
      kind: 'internal',
      at: 20_000 + worker,
      lasts: 70_000,
      attributes: { 'thread.id': worker, 'thread.name': 'piscina', 'threadspan.queue.wait': 15.5 },
    }),
  ),
]

/** The trace as it is sent by OTLP: what every source must come to. */
export function otlp(): Uint8Array {
  return body(
    SPANS.map(({ id, parent, name, kind, at, lasts, attributes }) =>
      span(1, 1, 0, {
        traceId: TRACE,
        spanId: id,
        parentSpanId: parent,
        name,
        kind: kind === 'server' ? 2 : 1,
        at: at / 1000,
        lasts: lasts / 1000,
        attributes,
        events: kind === 'server' ? [EVENT] : [],
      }),
    ),
    RESOURCE,
  )
}

const EVENT = {
  timeUnixNano: BigInt(START_MICROS + 50_000) * 1000n,
  name: 'exception',
  attributes: { 'exception.type': 'RangeError', 'exception.message': 'too far' },
  droppedAttributesCount: 0,
}

const keyValues = (values: Values) =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
  }))

const nanos = (micros: number) => `${START_MICROS + micros}000`

function resourceSpans(id: (hex: string) => string, kind: (name: string) => unknown) {
  return [
    {
      resource: { attributes: keyValues(RESOURCE) },
      scopeSpans: [
        {
          scope: { name: 'tests', version: '1' },
          spans: SPANS.map((one) => ({
            traceId: id(TRACE),
            spanId: id(one.id),
            parentSpanId: id(one.parent),
            flags: 257,
            name: one.name,
            kind: kind(one.kind),
            startTimeUnixNano: nanos(one.at),
            endTimeUnixNano: nanos(one.at + one.lasts),
            attributes: keyValues(one.attributes),
            events:
              one.kind === 'server'
                ? [
                    {
                      timeUnixNano: nanos(50_000),
                      name: EVENT.name,
                      attributes: keyValues(EVENT.attributes),
                    },
                  ]
                : [],
            status: {},
          })),
        },
      ],
    },
  ]
}

/** Jaeger 2: `/api/v3` with OTLP in hexadecimal, and what it always had. */
export function jaeger(asked: Asked): Answered {
  const { url } = asked
  if (url.pathname === '/api/services') return { body: { data: ['shop'], errors: null } }
  if (url.pathname === `/api/v3/traces/${TRACE}` || url.pathname === '/api/v3/traces') {
    const kinds: Record<string, number> = { server: 2, internal: 1 }
    return {
      body: {
        result: {
          resourceSpans: resourceSpans(
            (hex) => hex,
            (name) => kinds[name],
          ),
        },
      },
    }
  }
  if (url.pathname.startsWith('/api/v3/')) {
    // As Go's http.Error sends it.
    return { status: 404, type: 'text/plain', body: '{"error":{"httpCode":404,"message":"No traces found"}}' }
  }
  return oldJaeger(asked)
}

function jaegerUi(): Answered {
  return { type: 'text/html; charset=utf-8', body: '<!doctype html><title>Jaeger UI</title>' }
}

/** A Jaeger without `/api/v3`, and what implements its API: the JSON of the UI. */
export function oldJaeger({ url }: Asked): Answered {
  if (url.pathname === '/api/services') return { body: { data: ['shop', 'other'] } }
  const tags = (values: Values) =>
    Object.entries(values).map(([key, value]) => ({
      key,
      type: typeof value === 'string' ? 'string' : Number.isInteger(value) ? 'int64' : 'float64',
      value,
    }))
  if (url.pathname === '/api/traces' || url.pathname === `/api/traces/${TRACE}`) {
    const { 'service.name': serviceName, ...process } = RESOURCE
    const spans = SPANS.map((one) => ({
      traceID: TRACE,
      spanID: one.id,
      operationName: one.name,
      references: one.parent === '' ? [] : [{ refType: 'CHILD_OF', traceID: TRACE, spanID: one.parent }],
      startTime: START_MICROS + one.at,
      duration: one.lasts,
      tags: [
        ...tags(one.attributes),
        { key: 'span.kind', type: 'string', value: one.kind },
        { key: 'otel.scope.name', type: 'string', value: 'tests' },
        { key: 'otel.scope.version', type: 'string', value: '1' },
      ],
      logs:
        one.kind === 'server'
          ? [{ timestamp: START_MICROS + 50_000, fields: tags({ event: EVENT.name, ...EVENT.attributes }) }]
          : [],
      processID: 'p1',
      warnings: null,
    }))
    const processes = { p1: { serviceName, tags: tags(process) } }
    return { body: { data: [{ traceID: TRACE, spans, processes, warnings: null }], errors: null } }
  }
  if (url.pathname.startsWith('/api/traces/')) {
    return { status: 404, body: { data: null, errors: [{ code: 404, msg: 'trace not found' }] } }
  }
  return jaegerUi()
}

/** Tempo, which answers protobuf where that is asked for. */
export function tempo(asked: Asked): Answered {
  const { pathname } = asked.url
  if (pathname === `/api/traces/${TRACE}` && asked.headers.accept === 'application/protobuf') {
    return { type: 'application/protobuf', body: otlp() }
  }
  return tempoJson(asked)
}

/** Tempo behind what lets no protobuf through: ids in base64, enums by name, `batches`. */
export function tempoJson({ url }: Asked): Answered {
  if (url.pathname === '/api/echo') return { type: 'text/plain', body: 'echo' }
  if (url.pathname === '/api/search') {
    const found = { traceID: TRACE.replace(/^0+/, ''), rootServiceName: 'shop', durationMs: 100 }
    return { body: { traces: [found], metrics: { totalBlocks: 1 } } }
  }
  if (url.pathname === `/api/traces/${TRACE}`) {
    const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
    return { body: { batches: resourceSpans(base64, (name) => `SPAN_KIND_${name.toUpperCase()}`) } }
  }
  return { status: 404, type: 'text/plain', body: 'trace not found' }
}

/** As the Collector's exporter writes documents in its mapping `otel`, with times as the index has them. */
function otelHits(isEvent: boolean): unknown[] {
  const time = (micros: number) => ({
    '@timestamp': [
      `${new Date((START_MICROS + micros) / 1000).toISOString().slice(0, 20)}${String(micros % 1e6).padStart(6, '0')}Z`,
    ],
  })
  const resource = { attributes: RESOURCE }
  const scope = { name: 'tests', version: '1' }
  if (isEvent) {
    return [
      {
        _index: '.ds-logs-generic.otel-default',
        _source: {
          '@timestamp': '1790000000050.0',
          trace_id: TRACE,
          span_id: SPANS[0]!.id,
          event_name: EVENT.name,
          attributes: { ...EVENT.attributes, 'event.name': EVENT.name },
          resource,
          scope,
        },
        fields: time(50_000),
      },
    ]
  }
  return SPANS.map((one) => ({
    _index: '.ds-traces-generic.otel-default',
    _source: {
      '@timestamp': '1790000000000.0',
      data_stream: { type: 'traces', dataset: 'generic.otel', namespace: 'default' },
      trace_id: TRACE,
      span_id: one.id,
      ...(one.parent !== '' && { parent_span_id: one.parent }),
      name: one.name,
      kind: one.kind === 'server' ? 'Server' : 'Internal',
      duration: one.lasts * 1000,
      attributes: one.attributes,
      links: [],
      status: { code: 'Unset' },
      resource,
      scope,
    },
    fields: time(one.at),
  }))
}

/** As the APM Server writes what came by OTLP: dots of unknown attributes are underscores, numbers apart. */
function apmHits(isEvent: boolean): unknown[] {
  const common = {
    agent: { name: 'opentelemetry/nodejs' },
    service: {
      name: 'shop',
      framework: { name: 'tests', version: '1' },
    },
    process: { pid: 42 },
    host: { hostname: 'host-1', name: 'host-1' },
    trace: { id: TRACE },
  }
  if (isEvent) {
    return [
      {
        _source: {
          ...common,
          '@timestamp': '2026-09-21T14:13:20.050Z',
          processor: { event: 'error', name: 'error' },
          parent: { id: SPANS[0]!.id },
          error: { exception: [{ type: 'RangeError', message: 'too far' }] },
        },
      },
    ]
  }
  return SPANS.map((one) => {
    const own = { id: one.id, name: one.name, duration: { us: one.lasts } }
    return {
      _source: {
        ...common,
        '@timestamp': '2026-09-21T14:13:20.000Z',
        timestamp: { us: START_MICROS + one.at },
        event: { outcome: 'success' },
        labels: { thread_name: one.attributes['thread.name'] },
        numeric_labels: {
          thread_id: one.attributes['thread.id'],
          ...('threadspan.queue.wait' in one.attributes && { threadspan_queue_wait: 15.5 }),
        },
        ...(one.kind === 'server'
          ? {
              processor: { event: 'transaction', name: 'transaction' },
              transaction: { ...own, type: 'request', result: 'HTTP 2xx' },
              http: { response: { status_code: 200 } },
            }
          : {
              processor: { event: 'span', name: 'transaction' },
              parent: { id: one.parent },
              transaction: { id: SPANS[0]!.id },
              span: { ...own, type: 'app' },
            }),
      },
    }
  })
}

const elasticsearchWith =
  (hitsOf: (isEvent: boolean) => unknown[], key: 'otel' | 'apm') =>
  ({ url, method, body }: Asked): Answered => {
    if (url.pathname === '/')
      return { body: { name: 'es', version: { number: '9.2.0' }, tagline: 'You Know, for Search' } }
    if (url.pathname === '/_search/scroll') {
      return {
        body:
          method === 'DELETE' ? { succeeded: true, num_freed: 1 } : { _scroll_id: 's', hits: { hits: [] } },
      }
    }
    if (!url.pathname.endsWith('/_search')) return { status: 404, body: { error: 'no handler found' } }
    const shards = { timed_out: false, _shards: { total: 2, successful: 2, failed: 0 } }
    const query = JSON.parse(body) as { aggs?: object; query: { bool: { must_not?: unknown[] } } }
    if (query.aggs !== undefined) {
      const bucket = { key: TRACE, doc_count: 3, latest: { value: 1.79e12 } }
      const none = { buckets: [] }
      return { body: { ...shards, aggregations: { otel: none, apm: none, [key]: { buckets: [bucket] } } } }
    }
    const wanted = JSON.stringify(query).includes(TRACE)
    const hits = wanted ? hitsOf(query.query.bool.must_not === undefined) : []
    return { body: { ...shards, _scroll_id: 's', hits: { total: { value: hits.length }, hits } } }
  }

export const elasticsearch = elasticsearchWith(otelHits, 'otel')
export const elasticApm = elasticsearchWith(apmHits, 'apm')

/** Rows as ClickHouse 26.7 answers them of the exporter's table, in `JSONEachRow`. */
export function clickhouse({ url, body }: Asked): Answered {
  if (url.pathname === '/ping') return { type: 'text/html; charset=UTF-8', body: 'Ok.\n' }
  if (body === '') return { status: 404, type: 'text/html', body: 'There is no handle' }
  const lines = (rows: unknown[]) => ({
    type: 'application/x-ndjson; charset=UTF-8',
    body: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  })
  if (/^SELECT TraceId FROM/.test(body)) return lines([{ TraceId: TRACE }])
  if (!url.searchParams.get('param_ids')?.includes(TRACE)) return lines([])
  const texts = (values: Values) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]))
  return lines(
    SPANS.map((one) => ({
      TraceId: TRACE,
      SpanId: one.id,
      ParentSpanId: one.parent,
      TraceState: '',
      SpanName: one.name,
      SpanKind: one.kind === 'server' ? 'Server' : 'Internal',
      ServiceName: 'shop',
      ResourceAttributes: texts(RESOURCE),
      ScopeName: 'tests',
      ScopeVersion: '1',
      SpanAttributes: texts(one.attributes),
      StartNano: nanos(one.at),
      DurationNano: `${one.lasts}000`,
      StatusCode: 'Unset',
      StatusMessage: '',
      EventTimes: one.kind === 'server' ? [nanos(50_000)] : [],
      EventNames: one.kind === 'server' ? [EVENT.name] : [],
      EventAttributes: one.kind === 'server' ? [EVENT.attributes] : [],
      LinkTraces: [],
      LinkSpans: [],
      LinkStates: [],
      LinkAttributes: [],
    })),
  )
}
