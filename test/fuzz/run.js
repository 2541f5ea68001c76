// Random and mutated input for everything that reads what others wrote: no throw, no hang, no growth.
// Usage: node --expose-gc test/fuzz/run.js [--count N] [--seed N]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100000' }, seed: { type: 'string' } },
})
const count = Number(values.count)
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
const dist = resolve(process.env.THREADSPAN_DIST ?? 'dist')
const part = (file) => import(pathToFileURL(join(dist, file)).href)

const { Snapshot } = await part('context/snapshot.js')
const { carrierFromEnv } = await part('context/carrier.js')
const { readConfig } = await part('config/config.js')
const { resourceAttributes } = await part('config/resource.js')
const layout = await part('ring/layout.js')
const { Ring } = await part('ring/ring.js')
const { RingReader } = await part('ring/reader.js')
const { LinkWriter } = await part('link/writer.js')
const { LinkReader } = await part('link/reader.js')
const { closedSpan } = await part('ring/closed-span.js')
const { encodedRecord, fieldOf, readLogHead, writeField } = await part('logs/record.js')
const { encodeKeys, writeLine } = await part('logs/write-line.js')
const { encodeLog } = await part('otlp/encode-log.js')
const { SLOT_SIZE } = await part('recorder/sink.js')
const { CellReader } = await part('metrics/cells.js')
const { measureHere } = await part('metrics/measure.js')
const { readMeasurement } = await part('metrics/measurement.js')
const { MergedMetrics } = await part('metrics/merged.js')
const { prometheusText } = await part('export/prometheus.js')
const { encodeMetricsRequest } = await part('otlp/encode-metrics.js')
const { CellLink, LinkedCells } = await part('link/cells.js')
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

/** mulberry32 */
let state = seed
function random() {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = (limit) => Math.floor(random() * limit)
const pick = (list) => list[below(list.length)]

const CHARACTERS = [
  ...'0123456789abcdef-=,;%:{}[]"\\\'/. \t\n\r\0GZ~',
  'ä',
  '€',
  '\ud800',
  '𝄞',
  '__proto__',
  '00-',
  'NaN',
  '1e999',
]
const text = (length = below(80)) => Array.from({ length }, () => pick(CHARACTERS)).join('')

function mutatedText(original) {
  let result = original
  for (let i = below(4); i >= 0; i--) {
    const at = below(result.length + 1)
    const cut = below(3)
    result = result.slice(0, at) + (random() < 0.7 ? pick(CHARACTERS) : '') + result.slice(at + cut)
    if (random() < 0.02) result = result.repeat(1 + below(200))
  }
  return result
}

function mutatedBytes(original) {
  const bytes = Buffer.from(original)
  for (let i = below(8); i >= 0; i--) {
    if (bytes.length === 0) break
    const at = below(bytes.length)
    const kind = below(4)
    if (kind < 2) bytes[at] = below(256)
    else if (kind === 2) bytes.writeUInt8(pick([0, 1, 127, 128, 255]), at)
    else bytes.copyWithin(at, below(bytes.length), below(bytes.length))
  }
  return random() < 0.3 ? bytes.subarray(0, below(bytes.length)) : bytes
}

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const odd = () =>
  pick([
    undefined,
    null,
    0,
    -1,
    1.5,
    true,
    [],
    {},
    text(),
    Symbol.iterator,
    () => {},
    new Map(),
    10n,
    [text()],
  ])

function carrier() {
  const valid = {
    traceparent: mutatedText(PARENT),
    tracestate: mutatedText('congo=t61rcWkgMzE,rojo=00f067aa0ba902b7'),
    baggage: mutatedText('userId=alice;p=1,server%20Node=DF%2028'),
    transaction: random() < 0.8 ? { id: mutatedText('b7ad6b7169203331'), name: text() } : odd(),
    values: random() < 0.8 ? { [text(5)]: odd(), ['__proto__']: odd() } : odd(),
  }
  for (const name of Object.keys(valid)) if (random() < 0.2) valid[name] = odd()
  return random() < 0.1 ? odd() : valid
}

const VARIABLES = readFileSync(join(dist, 'config/config.js'), 'utf8')
  .concat(
    readFileSync(join(dist, 'config/tracing.js'), 'utf8'),
    readFileSync(join(dist, 'config/otlp.js'), 'utf8'),
  )
  .matchAll(/'((?:OTEL|THREADSPAN)_[A-Z_]+)'/g)
const NAMES = [
  ...new Set([...VARIABLES].map((match) => match[1])),
  'TRACEPARENT',
  'TRACESTATE',
  'BAGGAGE',
  'THREADSPAN_VALUES',
  'THREADSPAN_TRANSACTION',
]
const PLAUSIBLE = [
  'always_on',
  'parentbased_traceidratio',
  '0.5',
  'http://localhost:4318',
  'a=b,c=d',
  '1000',
  'true',
  'otlp,console',
  'gzip',
  PARENT,
  '{"a":1}',
  '{"id":"b7ad6b7169203331","name":"x"}',
]

function environment() {
  const env = {}
  for (let i = below(8); i >= 0; i--)
    env[pick(NAMES)] = random() < 0.3 ? text() : mutatedText(pick(PLAUSIBLE))
  return env
}

const nobody = { scope() {}, spans() {}, logged: tellLog }

/** What is exported of a log record as it lay in a ring or a file. */
function tellLog(body) {
  const head = readLogHead(body)
  if (head === undefined) return
  const field = fieldOf(body, head)
  const length = (field[1] & 127) | ((field[2] & 127) << 7) | (field[3] << 14)
  if (field[0] !== 0x12 || length + 4 !== field.length) throw new Error('not a whole record')
}

const logField = encodeLog({
  timeUnixNano: 1n,
  observedTimeUnixNano: 1n,
  severityNumber: 9,
  severityText: 'info',
  body: 'saved',
  attributes: { order: [1, { two: null }] },
  droppedAttributesCount: 0,
  flags: 1,
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  eventName: '',
})
/** A `KeyValue` of an exception. */
const exceptionField = Buffer.from('0a080a0161120312010a', 'hex')

function writeLog(ring) {
  if (random() < 0.3) {
    writeField(ring, 0, logField)
    return
  }
  const fields = { level: 30, msg: text(5), err: { type: 'E', message: odd(), stack: 's' }, [text(5)]: odd() }
  const line = JSON.stringify(fields, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  const keys = encodeKeys({
    level: 'info',
    message: 'msg',
    error: 'err',
    nested: random() < 0.2 ? 'err' : '',
  })
  const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }
  const ids = random() < 0.5 ? context : undefined
  const exception = pick([new Uint8Array(0), exceptionField, undefined])
  writeLine(ring, () => {}, 0, mutatedText(line), 9, keys, ids, exception)
}
/** The start of a span, as `recorder/record.ts` lays it out: trace id, span id, kind, start time, flags, name. */
const start = Buffer.from(
  [
    '0a9080000af7651916cd43dd8448eb211c80319c',
    '12888000b7ad6b7169203331',
    '308100390102030405060708',
    '5000850101010000',
    '2a026162',
  ].join(''),
  'hex',
)
const span = closedSpan(start, 1n, 'fuzz')

/** A ring that was written to, and then to. */
function ringMemory() {
  const memory = layout.allocate(65536, 16, SLOT_SIZE)
  const control = new Int32Array(new SharedArrayBuffer(layout.CONTROL_BYTES))
  const ring = new Ring(memory, control, () => {})
  ring.selectScope(ring.defineScope(Buffer.from('scope'), 'url'))
  for (let i = below(40); i >= 0; i--) {
    const at = ring.reserve(span.length)
    ring.bytes.set(span, at)
    ring.commit(at + span.length, 0)
    if (random() < 0.3) ring.armSlot(ring.openSlot(), below(600), below(3))
    if (random() < 0.3) writeLog(ring)
  }
  const words = new Int32Array(memory.buffer)
  const bytes = new Uint8Array(memory.buffer)
  for (let i = below(20); i >= 0; i--) {
    const kind = random()
    if (kind < 0.2) words[below(64)] = (random() * 2 ** 32) | 0
    else if (kind < 0.4) words[pick([layout.HEAD, layout.TAIL, layout.ORIGIN])] += below(4096) - 2048
    else if (kind < 0.8) bytes[layout.RING_START + below(8192)] = below(256)
    else bytes[below(bytes.length)] = below(256)
  }
  return memory
}

/** Lines of loggers, as they lie in a ring. */
const logLines = Array.from({ length: 5 }, () => {
  const memory = layout.allocate(65536, 16, SLOT_SIZE)
  const ring = new Ring(memory, new Int32Array(new SharedArrayBuffer(layout.CONTROL_BYTES)), () => {})
  ring.defineScope(Buffer.from('scope'), 'url')
  const lines = []
  while (lines.length === 0) {
    writeLog(ring)
    new RingReader(memory).drain({ ...nobody, logged: (body) => void lines.push(Buffer.from(body)) })
  }
  return lines[0]
})

const folder = mkdtempSync(join(tmpdir(), 'threadspan-fuzz-'))
const valid = linkBytes()

/** A thread that measures: its blocks, and its ring with what it told of each value. */
function measuringThread() {
  const control = new Int32Array(new SharedArrayBuffer(layout.CONTROL_BYTES))
  control[layout.SURFACES] = layout.BY_CODE
  const memory = layout.allocate(65536, 16, SLOT_SIZE)
  const ring = new Ring(memory, control, () => {})
  const blocks = []
  const { provider } = measureHere({
    opened: (block) => blocks.push(block),
    time: () => 5,
    control,
    ring: () => ring,
    scopeOf: () => ({ id: 'b7ad6b7169203331', traceId: '0af7651916cd43dd8448eb211c80319c', name: text(8) }),
  })
  const meter = provider.getMeter('fuzz')
  for (let i = 0; i < 8; i++) {
    const attributes = { [text(5)]: odd(), plain: text(3) }
    meter.createCounter(`counter${i}`).add(odd(), attributes)
    meter.createHistogram(`histogram${i}`).record(i, attributes)
    meter.createGauge(`gauge${i}`).record(i, attributes)
  }
  return { blocks, memory }
}

function shake(bytes) {
  for (let i = below(20); i >= 0; i--) bytes[below(bytes.length)] = below(256)
}

/** Of a descendant's link: what it measures. */
const measuredRecords = []
{
  const reader = new CellReader()
  for (const [i, block] of measuringThread().blocks.entries()) reader.add(block, i)
  const link = new CellLink()
  link.add(3, reader)
  link.write({ record: (type, ...parts) => measuredRecords.push([type, Buffer.concat(parts)]) })
}

/** Collects and writes whatever was merged. */
function tellOf(merged) {
  const { scopes } = merged.collect()
  encodeMetricsRequest([{ resource: new Uint8Array(0), scopes }])
  prometheusText([{ resource: new Uint8Array(0), attributes: {}, scopes }])
}

function linkBytes() {
  const writer = new LinkWriter(folder, 'valid', Buffer.from([1, 2, 3]))
  writer.scope(0, Buffer.from('scope'), 'url')
  for (let i = 0; i < 5; i++) {
    writer.opened({ scope: 0, start })
    writer.spans(0, span, 1)
    writer.childEnded(i, 'reason', 5n)
    writer.lost('cause', 3)
    writer.logged(encodedRecord(0, logField))
    writer.logged(logLines[i])
    writer.lost('cause', 3, 'logs')
  }
  writer.flush()
  writer.close()
  return readFileSync(writer.path)
}

const targets = {
  carrier() {
    const snapshot = Snapshot.from(carrier(), { remote: random() < 0.5 })
    Snapshot.from(snapshot.toCarrier())
    snapshot.run(() => {})
  },
  environment() {
    const env = environment()
    const { config, warnings } = readConfig(env)
    if (!Array.isArray(warnings)) throw new Error('no warnings')
    resourceAttributes(config, text())
    Snapshot.from(carrierFromEnv(env))
  },
  ring() {
    const memory = ringMemory()
    const reader = new RingReader(memory)
    reader.tellScopes(nobody)
    for (const _ of reader.open());
    reader.drain(nobody)
    reader.takeLosses()
    reader.drain(nobody)
  },
  'log record'() {
    tellLog(mutatedBytes(pick(logLines)))
    tellLog(mutatedBytes(encodedRecord(0, logField)))
  },
  link() {
    const path = join(folder, '1-fuzz.link')
    const bytes = random() < 0.1 ? Buffer.from(text(), 'latin1') : mutatedBytes(valid)
    writeFileSync(path, bytes)
    let reader
    try {
      const events = { introduced: () => nobody, childEnded() {}, lost() {} }
      reader = new LinkReader(path, events, new Map())
    } catch (error) {
      // Files that are not links are refused, in these words.
      if (error.message !== 'not a link file') throw error
      return
    }
    reader.read(true)
    reader.acknowledge()
    reader.close()
  },
}

Object.assign(targets, {
  cells() {
    const { blocks } = measuringThread()
    for (const block of blocks) shake(new Uint8Array(block, 0, 1024))
    const reader = new CellReader()
    for (const [i, block] of blocks.entries()) reader.add(block, i)
    const merged = new MergedMetrics(1n)
    const source = merged.add(reader)
    tellOf(merged)
    source.end()
    tellOf(merged)
  },
  'linked cells'() {
    const cells = new LinkedCells()
    for (const [type, body] of measuredRecords)
      if (random() < 0.9)
        cells.record(random() < 0.9 ? type : below(256), random() < 0.3 ? mutatedBytes(body) : body)
    const merged = new MergedMetrics(1n)
    const source = merged.add(cells)
    tellOf(merged)
    source.end()
  },
  measurements() {
    const { memory } = measuringThread()
    if (random() < 0.8) shake(new Uint8Array(memory.buffer, layout.RING_START, 4096))
    let count = 0
    new RingReader(memory).drain({
      ...nobody,
      measured(body) {
        count++
        readMeasurement(body)
      },
    })
    if (count > 1000) throw new Error('too many')
  },
})

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

Object.assign(targets, {
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
})

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

Object.assign(targets, {
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
})

console.log(`seed ${seed}`)
let failed = false
for (const [name, target] of Object.entries(targets)) {
  const rounds = Math.ceil(count / Object.keys(targets).length)
  let before = 0
  let slowest = 0
  for (let i = 0; i < rounds; i++) {
    if (i === Math.floor(rounds / 4)) {
      globalThis.gc?.()
      before = process.memoryUsage().heapUsed
    }
    const at = state
    const from = performance.now()
    try {
      target()
    } catch (error) {
      failed = true
      console.log(`${name}: round ${i}, state ${at}: ${error.stack}`)
      break
    }
    slowest = Math.max(slowest, performance.now() - from)
  }
  globalThis.gc?.()
  const grown = (process.memoryUsage().heapUsed - before) / 1e6
  console.log(`${name}: ${rounds} rounds, slowest ${slowest.toFixed(1)} ms, heap ${grown.toFixed(1)} MB more`)
  if (globalThis.gc !== undefined && grown > 5) failed = true
}
rmSync(folder, { recursive: true })
process.exitCode = failed ? 1 : 0
