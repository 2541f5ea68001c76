// Random and mutated input for everything that reads what others wrote: no throw, no hang, no growth.
// Usage: node --expose-gc test/fuzz/run.js [--count N] [--seed N]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { below, getState, mutatedBytes, mutatedText, pick, random, setState, text } from './input.js'
import { dist, part } from './part.js'
import { formats, questions } from './viewer.js'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100000' }, seed: { type: 'string' } },
})
const count = Number(values.count)
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed)
setState(seed)

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
    reader.rest()
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

Object.assign(targets, formats, questions)

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
    const at = getState()
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
