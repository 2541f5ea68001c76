// What the viewer reads: traces in other formats, documents of databases, and searches.
import { below, pick, random, text } from './input.js'
import { part } from './part.js'

const { ForeignReader } = await part('viewer/formats/foreign.js')
const { Requests } = await part('viewer/formats/requests.js')
const { Documents } = await part('viewer/sources/elasticsearch-documents.js')
const { Store } = await part('viewer/store/store.js')
const { isMalformed } = await part('viewer/receiver/sink.js')
const { parseQuery } = await part('viewer/query.js')
const { Search } = await part('viewer/queries/search.js')
const { logs } = await part('viewer/queries/logs.js')
const { samples, traces } = await part('viewer/queries/traces.js')
const { parseFilter } = await part('viewer/queries/filter.js')
const { Logs } = await part('viewer/store/logs.js')
const { encodeSpan } = await part('otlp/encode-span.js')
const { concat, encodeResource, lengthDelimited } = await part('otlp/encode.js')

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const keyValue = { key: 'thread.id', value: { intValue: '3' } }
const otlpSpan = {
  traceId: Buffer.from(TRACE_ID, 'hex').toString('base64'),
  spanId: Buffer.from(SPAN_ID, 'hex').toString('base64'),
  name: 'a',
  kind: 'SPAN_KIND_SERVER',
  startTimeUnixNano: '1790000000000000000',
  endTimeUnixNano: '1790000000000000001',
  attributes: [keyValue],
  events: [{ timeUnixNano: '1790000000000000000', name: 'e', attributes: [keyValue] }],
  status: { code: 'STATUS_CODE_ERROR' },
}
const tags = [
  { key: 'span.kind', type: 'string', value: 'server' },
  { key: 'error', type: 'bool', value: true },
  { key: 'n', type: 'int64', value: '9007199254740993' },
]
const reference = { refType: 'CHILD_OF', traceID: TRACE_ID, spanID: SPAN_ID }
const jaegerSpan = {
  traceID: TRACE_ID,
  spanID: SPAN_ID,
  operationName: 'a',
  references: [reference, reference],
  startTime: 1790000000000000,
  duration: 5,
  tags,
  logs: [{ timestamp: 1790000000000000, fields: tags }],
  processID: 'p1',
}
const foreign = [
  {
    batches: [
      { resource: { attributes: [keyValue] }, scopeSpans: [{ scope: { name: 'a' }, spans: [otlpSpan] }] },
    ],
  },
  { data: [{ traceID: TRACE_ID, spans: [jaegerSpan], processes: { p1: { serviceName: 'a', tags } } }] },
  {
    traceId: TRACE_ID,
    id: SPAN_ID,
    parentId: SPAN_ID,
    kind: 'SERVER',
    shared: true,
    name: 'a',
    timestamp: 1790000000000000,
    duration: 5,
    localEndpoint: { serviceName: 'a', ipv4: '1.2.3.4', port: 5 },
    annotations: [{ timestamp: 1790000000000000, value: 'a' }],
    tags: { 'thread.id': '3', error: 'true', 'process.pid': '4' },
  },
]
const documents = [
  {
    trace_id: TRACE_ID,
    span_id: SPAN_ID,
    duration: 5,
    '@timestamp': '1790000000000.5',
    attributes: { thread: { id: 3 }, 'a.b': [1] },
    links: [{ trace_id: TRACE_ID, span_id: SPAN_ID }],
    status: { code: 'Error' },
    resource: { attributes: { 'service.name': 'a' } },
    scope: { name: 'a' },
  },
  {
    trace: { id: TRACE_ID },
    span: {
      id: SPAN_ID,
      name: 'a',
      duration: { us: 5 },
      links: [{ trace: { id: TRACE_ID }, span: { id: SPAN_ID } }],
    },
    parent: { id: SPAN_ID },
    timestamp: { us: 1790000000000000 },
    '@timestamp': '2026-01-01T00:00:00.000Z',
    labels: { thread_name: 'a' },
    numeric_labels: { thread_id: 3 },
    error: { exception: [{ type: 'a', message: 'b' }] },
  },
]
const odds = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e300,
  '',
  'x',
  '__proto__',
  [],
  {},
  [null],
  { '': 0 },
  '\ud800',
]
const oddJson = () => (random() < 0.2 ? text() : pick(odds))

/** A copy in which parts are replaced, left out or repeated. */
function mutatedJson(value) {
  if (random() < 0.02) return oddJson()
  if (Array.isArray(value)) {
    return value.flatMap((element) =>
      random() < 0.02 ? [] : random() < 0.02 ? [mutatedJson(element), oddJson()] : [mutatedJson(element)],
    )
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(() => random() > 0.01)
  if (random() < 0.02) entries.push([text(5), oddJson()])
  return Object.fromEntries(entries.map(([key, inner]) => [key, mutatedJson(inner)]))
}

/** What is read of another format must be what the store takes. */
function readForeign(read) {
  let requests
  try {
    requests = read()
  } catch (error) {
    if (!isMalformed(error)) throw error
    return
  }
  const store = new Store({ maxSpans: 100, maxBytes: 1e8 })
  for (const request of requests) store.ingest(request)
  store.settle()
  for (const trace of store.traces.values()) for (const row of store.rows(trace)) store.decode(row)
}

export const formats = {
  'traces in other formats'() {
    readForeign(() => {
      const reader = new ForeignReader()
      const read = reader.take(mutatedJson(pick(foreign)), 100)
      return [...(read?.requests ?? []), ...reader.end().requests]
    })
  },
  'documents of Elasticsearch'() {
    readForeign(() => {
      const made = new Documents()
      const requests = new Requests()
      const hit = () =>
        mutatedJson({ _source: pick(documents), fields: { '@timestamp': ['2026-01-01T00:00:00.5Z'] } })
      const isHit = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
      for (const one of [hit(), hit()].filter(isHit)) {
        if (random() < 0.5) made.addEvent(one)
        else made.addSpan(one, requests)
      }
      return requests.take()
    })
  },
}

/** Pieces that a search is made of, and what breaks others' searches. */
const TERMS = [
  ...[
    'is:error',
    'is:',
    'duration>50ms',
    'duration<',
    'status=5xx',
    'http.route=/a',
    '__proto__=1',
    'constructor!=x',
    'toString>0',
  ],
  ...[
    '"',
    '-',
    '-"a b"',
    '=',
    '!=',
    '>=',
    'level>=17',
    'name="GET /"',
    '(a+)+$',
    '.*.*.*',
    "' OR 1=1 --",
    '%00',
    '$(x)',
    '5e999',
    '{',
    '}',
    '{ is:error } >> { http.route=/a }',
    '>>',
    '~',
    '| count() > 3',
    '\u0130',
  ],
]
const shown = storeOfSpans()
const records = new Logs()
records.add({
  resourceLogs: [
    {
      resource: { attributes: { 'service.name': 'fuzz' }, droppedAttributesCount: 0 },
      schemaUrl: '',
      scopeLogs: [
        {
          scope: { name: 's', version: '', attributes: {}, droppedAttributesCount: 0 },
          schemaUrl: '',
          logRecords: Array.from({ length: 50 }, (_, i) => ({
            timeUnixNano: BigInt(i),
            observedTimeUnixNano: 0n,
            severityNumber: i % 25,
            severityText: '',
            body: 'a'.repeat(i * 20),
            attributes: { __proto__x: i, 'http.route': '/a' },
            droppedAttributesCount: 0,
            flags: 0,
            traceId: '',
            spanId: '',
            eventName: '',
          })),
        },
      ],
    },
  ],
})

function storeOfSpans() {
  const spans = Array.from({ length: 20 }, (_, i) =>
    encodeSpan({
      traceId: (1 + (i % 5)).toString(16).padStart(32, '0'),
      spanId: (i + 1).toString(16).padStart(16, '0'),
      parentSpanId: i < 5 ? '' : (1 + (i % 5)).toString(16).padStart(16, '0'),
      traceState: '',
      flags: 0x101,
      name: 'a'.repeat(1 + i * 50),
      kind: i % 6,
      startTimeUnixNano: 1_790_000_000_000_000_000n + BigInt(i),
      endTimeUnixNano: 1_790_000_000_000_000_900n,
      attributes: {
        'http.route': '/a',
        'http.response.status_code': 200 + i,
        text: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!',
      },
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: i % 3, message: '' },
    }),
  )
  const store = new Store({ maxSpans: 1000, maxBytes: 1e7 })
  const groups = concat(spans.map((span) => lengthDelimited(0x12, span)))
  const resource = lengthDelimited(0x0a, encodeResource({ 'service.name': 'fuzz' }))
  store.ingest(lengthDelimited(0x0a, concat([resource, lengthDelimited(0x12, groups)])))
  store.settle()
  return store
}

export const questions = {
  /** A search is at most so long, is answered at once whatever it holds, and what is wrong with it is told as such. */
  searches() {
    const words = Array.from({ length: below(random() < 0.02 ? 400 : 6) }, () =>
      random() < 0.7 ? pick(TERMS) : text(below(20)),
    )
    const search = words.join(pick([' ', '', '"', '\n']))
    const began = performance.now()
    const { terms, problems } = parseQuery(search)
    if (terms.length > 20) throw new Error('too many terms')
    const rows = [...shown.traces.values()].flatMap((trace) => [...shown.rows(trace)])
    const places = new Search(search).places(shown, rows)
    if (places.some((place) => place < 0 || place >= rows.length)) throw new Error('a place that is none')
    const query = new URLSearchParams({
      search,
      sort: pick(['', 'duration', '__proto__', text(4)]),
      limit: text(3),
      offset: pick(['', '-1', '1e9', 'x']),
    })
    for (const list of [traces, samples, (store, filter) => logs(store, records, filter, null)]) {
      try {
        list(shown, parseFilter(query))
      } catch (error) {
        if (error.code !== 'THREADSPAN_FILTER') throw error
      }
    }
    if (problems.some((problem) => typeof problem !== 'string')) throw new Error('a problem without words')
    if (performance.now() - began > 5000) throw new Error(`slow: ${search}`)
  },
}
