import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import { encodeResource, lengthDelimited } from '#dist/otlp/encode.js'
import { encodeSpan } from '#dist/otlp/encode-span.js'
import type { Viewer } from '../../src/viewer/server.js'
import { body, origin, post, send, span, spanId, traceId, viewer } from './support.js'

/** The fields that this package writes, with the numbers and types of pprof's profile.proto. */
const PROFILE = `
syntax = "proto3";
package perftools.profiles;
message Profile {
  repeated ValueType sample_type = 1;
  repeated Sample sample = 2;
  repeated Location location = 4;
  repeated Function function = 5;
  repeated string string_table = 6;
  int64 time_nanos = 9;
  int64 duration_nanos = 10;
  int64 default_sample_type = 14;
}
message ValueType { int64 type = 1; int64 unit = 2; }
message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; repeated Label label = 3; }
message Label { int64 key = 1; int64 str = 2; int64 num = 3; int64 num_unit = 4; }
message Location { uint64 id = 1; uint64 mapping_id = 2; uint64 address = 3; repeated Line line = 4; }
message Line { uint64 function_id = 1; int64 line = 2; }
message Function { uint64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; int64 start_line = 5; }
`

interface Profile {
  sampleType: { type: number; unit: number }[]
  sample: { locationId: number[]; value: number[]; label: { key: number; str: number }[] }[]
  location: { id: number; line: { functionId: number }[] }[]
  function: { id: number; name: number; filename: number }[]
  stringTable: string[]
  timeNanos: string
  durationNanos: number
  defaultSampleType: number
}

async function profileOf(target: Viewer, path = 'export'): Promise<Profile> {
  const answer = await send(`${target.endpoint}/api/${path}?format=pprof`)
  assert.equal(answer.status, 200)
  const type = protobuf.parse(PROFILE).root.lookupType('perftools.profiles.Profile')
  const decoded = type.decode(gunzipSync(answer.body))
  assert.equal(type.verify(decoded), null)
  const plain = type.toObject(decoded, { longs: Number, arrays: true, defaults: true }) as Profile
  return { ...plain, timeNanos: String((decoded as unknown as { timeNanos: object }).timeNanos) }
}

/** Stack from the root, thread, spans and self time in milliseconds of each sample. */
function samplesOf(profile: Profile): [string, string, number, number][] {
  const { stringTable } = profile
  const functions = new Map(profile.function.map((one) => [one.id, one]))
  const locations = new Map(profile.location.map((one) => [one.id, functions.get(one.line[0]!.functionId)!]))
  return profile.sample
    .map(({ locationId, value, label }): [string, string, number, number] => [
      locationId
        .toReversed()
        .map((id) => stringTable[locations.get(id)!.name])
        .join(' > '),
      stringTable[label[0]!.str]!,
      value[0]!,
      value[1]! / 1e6,
    ])
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
}

const on = (id: number) => ({ 'thread.id': id, 'threadspan.queue.wait': id === 0 ? 0 : 5 })

/** A request whose tasks overlap on two Workers, and a second one beside it on the main thread. */
const POOL = [
  span(1, 1, 0, { name: 'GET /', kind: 2, at: 0, lasts: 100, attributes: on(0) }),
  span(1, 2, 1, { name: 'task', at: 10, lasts: 40, attributes: on(1) }),
  span(1, 3, 1, { name: 'task', at: 20, lasts: 50, attributes: on(2) }),
  span(1, 4, 3, { name: 'inner', at: 30, lasts: 10, attributes: on(2) }),
  span(1, 5, 1, { name: 'late', at: 90, lasts: 20, attributes: on(1) }),
  span(2, 6, 0, { name: 'GET /', kind: 2, at: 50, lasts: 20, attributes: on(0) }),
]

describe('export to pprof', () => {
  it('has self times by stack of span names, and a label for the thread', async (t) => {
    const target = await viewer(t)
    await post(target, body(POOL))
    const profile = await profileOf(target)
    const { stringTable } = profile
    assert.equal(stringTable[0], '')
    assert.deepEqual(
      profile.sampleType.map(({ type, unit }) => [stringTable[type], stringTable[unit]]),
      [
        ['spans', 'count'],
        ['self', 'nanoseconds'],
      ],
    )
    assert.equal(stringTable[profile.defaultSampleType], 'self')
    // 100 less the union of 10-50, 20-70 and 90-100, and 20.
    assert.deepEqual(samplesOf(profile), [
      ['GET /', 'main', 2, 30 + 20],
      ['GET / > late', 'thread 1', 1, 20],
      ['GET / > task', 'thread 1', 1, 40],
      ['GET / > task', 'thread 2', 1, 40],
      ['GET / > task > inner', 'thread 2', 1, 10],
    ])
    assert.equal(profile.timeNanos, String(BigInt(origin) * 1_000_000n))
    assert.equal(profile.durationNanos, 110e6)
    assert.ok(profile.function.every(({ filename }) => stringTable[filename] === 'orders'))
    assert.deepEqual(
      samplesOf(await profileOf(target, `trace/${traceId(2)}/export`)).map(([stack]) => stack),
      ['GET /'],
    )
  })

  it('ends where parents go in a circle, where a trace is deep, and where there is none', async (t) => {
    const target = await viewer(t)
    assert.deepEqual((await profileOf(target)).sample, [])
    const deep = Array.from({ length: 5000 }, (_, i) => span(3, i + 1, i, { name: `f${i}` }))
    const circle = [span(4, 1, 2), span(4, 2, 1), span(4, 3, 1)]
    await post(target, body([...deep, ...circle]))
    const { sample, stringTable } = await profileOf(target)
    assert.equal(Math.max(...sample.map(({ locationId }) => locationId.length)), 256)
    assert.equal(
      sample.reduce((sum, { value }) => sum + value[0]!, 0),
      5003,
    )
    assert.ok(stringTable.includes('f4999'))
  })
})

describe('export to a Chrome trace', () => {
  interface Event {
    ph: string
    name: string
    pid: number
    tid: number
    ts: number
    dur: number
    id: string
    args: Record<string, unknown>
  }
  const eventsOf = async (target: Viewer, path = 'export') => {
    const answer = await send(`${target.endpoint}/api/${path}?format=chrome`)
    return (answer.json() as { traceEvents: Event[] }).traceEvents
  }

  it('has a track for each thread, and further ones for what overlaps there', async (t) => {
    const target = await viewer(t)
    await post(target, body(POOL))
    const events = await eventsOf(target)
    const tracks = new Map(
      events
        .filter(({ ph, name }) => ph === 'M' && name === 'thread_name')
        .map(({ tid, args }) => [tid, args['name']]),
    )
    const slices = events.filter(({ ph }) => ph === 'X')
    assert.deepEqual(
      slices.map(({ name, tid, ts, dur }) => [name, tracks.get(tid), ts, dur]),
      [
        ['GET /', 'main', 0, 100_000],
        ['task', 'thread 1', 10_000, 40_000],
        ['task', 'thread 2', 20_000, 50_000],
        ['inner', 'thread 2', 30_000, 10_000],
        // It overlaps the other request, and is no part of it.
        ['GET /', 'main · 2', 50_000, 20_000],
        ['late', 'thread 1', 90_000, 20_000],
      ],
    )
    const flows = events.filter(({ ph }) => ph === 's' || ph === 'f')
    assert.deepEqual(
      flows.map(({ ph, id, tid, ts }) => [ph, id, tracks.get(tid), ts]),
      [
        ['s', spanId(2), 'main', 5000],
        ['f', spanId(2), 'thread 1', 10_000],
        ['s', spanId(3), 'main', 15_000],
        ['f', spanId(3), 'thread 2', 20_000],
        ['s', spanId(5), 'main', 85_000],
        ['f', spanId(5), 'thread 1', 90_000],
      ],
    )
  })

  it('nests the events of every track, whatever overlaps', async (t) => {
    const target = await viewer(t)
    let seed = 7
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return seed / 2 ** 31
    }
    const spans = Array.from({ length: 2000 }, (_, i) =>
      span(1 + (i % 3), i + 1, i < 3 ? 0 : 1 + Math.floor(random() * i), {
        at: random() * 100,
        lasts: random() < 0.1 ? 0 : random() * 30,
        attributes: { 'thread.id': Math.floor(random() * 4) },
      }),
    )
    await post(target, body(spans))
    const slices = (await eventsOf(target)).filter(({ ph }) => ph === 'X')
    assert.equal(slices.length, 2000)
    const open = new Map<number, { end: number; id: string }[]>()
    const parents = new Map(spans.map((one) => [one.spanId, one.parentSpanId]))
    for (const { tid, ts, dur, args } of slices) {
      const end = Math.round((ts + dur) * 1000)
      const stack = open.get(tid) ?? []
      open.set(tid, stack)
      while (stack.length > 0 && stack.at(-1)!.end <= Math.round(ts * 1000)) stack.pop()
      if (stack.length > 0) {
        assert.ok(end <= stack.at(-1)!.end)
        assert.equal(parents.get(args['span.id'] as string), stack.at(-1)!.id)
      }
      stack.push({ end, id: args['span.id'] as string })
    }
  })
})

describe('export to OTLP JSON', () => {
  it('says what came, schemas and doubles that are whole among it', async (t) => {
    const target = await viewer(t)
    const double = Buffer.alloc(9, 0x21)
    double.writeDoubleLE(7, 1)
    const pair = [lengthDelimited(0x0a, Buffer.from('load')), lengthDelimited(0x12, double)]
    const one = Buffer.concat([
      encodeSpan(span(1, 1, 0, { name: 'whole' })),
      lengthDelimited(0x4a, Buffer.concat(pair)),
    ])
    const schema = (url: string) => lengthDelimited(0x1a, Buffer.from(url))
    const scopeSpans = Buffer.concat([lengthDelimited(0x12, one), schema('https://a/scope')])
    const resource = lengthDelimited(0x0a, encodeResource({ 'service.name': 'orders' }))
    const group = Buffer.concat([resource, lengthDelimited(0x12, scopeSpans), schema('https://a/resource')])
    await post(target, lengthDelimited(0x0a, group))
    const json = (await send(`${target.endpoint}/api/trace/${traceId(1)}/export?format=otlp`)).json() as {
      resourceSpans: {
        resource: unknown
        schemaUrl: string
        scopeSpans: { schemaUrl: string; spans: { name: string; attributes: unknown[] }[] }[]
      }[]
    }
    const told = json.resourceSpans[0]!
    const inner = told.scopeSpans[0]!
    assert.deepEqual(told.resource, {
      attributes: [{ key: 'service.name', value: { stringValue: 'orders' } }],
    })
    assert.deepEqual([told.schemaUrl, inner.schemaUrl], ['https://a/resource', 'https://a/scope'])
    assert.equal(inner.spans[0]!.name, 'whole')
    assert.deepEqual(inner.spans[0]!.attributes.at(-1), { key: 'load', value: { doubleValue: 7 } })
  })
})

describe('an export while traces come and leave', () => {
  it('is well-formed, and holds no other trace’s spans', async () => {
    const { ViewerData } = await import('#dist/viewer/data.js')
    const { exportOf } = await import('#dist/viewer/exports/export.js')
    for (const format of ['otlp', 'chrome', 'csv'] as const) {
      const data = new ViewerData({ maxSpans: 60 })
      const add = (trace: number) => {
        const spans = Array.from({ length: 20 }, (_, i) =>
          span(trace, trace * 100 + i, i === 0 ? 0 : trace * 100, { name: `trace ${trace}`, at: i }),
        )
        data.sink.take('traces', 'protobuf', body(spans))
      }
      for (const trace of [1, 2, 3]) add(trace)
      let text = ''
      let pieces = 0
      for (const piece of exportOf(data.store, format).pieces) {
        text += String(piece)
        // In the midst of the first trace all that is to be written leaves.
        if (++pieces === 10) for (const trace of [4, 5, 6]) add(trace)
      }
      assert.match(text, /trace 1/)
      assert.doesNotMatch(text, /trace [4-6]/, format)
      if (format === 'chrome') JSON.parse(text)
      else if (format === 'otlp') for (const line of text.trimEnd().split('\n')) JSON.parse(line)
    }
  })
})

describe('export to CSV', () => {
  /** RFC 4180, section 2. */
  function parse(text: string): string[][] {
    const rows: string[][] = []
    const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
    let row: string[] = []
    for (const [, quoted, plain, end] of text.matchAll(cell)) {
      row.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
      if (end === '\r\n') {
        rows.push(row)
        row = []
      }
    }
    return rows
  }

  it('has a row for each span that every reader of RFC 4180 takes apart again', async (t) => {
    const target = await viewer(t)
    const name = 'a "quoted",\r\nname'
    await post(
      target,
      body([
        span(1, 1, 0, { name, lasts: 1.5, attributes: { 'thread.id': 2, 'threadspan.queue.wait': 0.25 } }),
        span(1, 2, 1, { at: 0.000001, status: { code: 2, message: 'ü' } }),
      ]),
    )
    const answer = await send(`${target.endpoint}/api/export?format=csv`)
    assert.match(String(answer.headers['content-type']), /^text\/csv; charset=utf-8/)
    assert.equal(answer.headers['content-disposition'], 'attachment; filename="traces.csv"')
    const [head, ...rows] = parse(answer.body.toString())
    const records = rows.map((row) => Object.fromEntries(head!.map((key, i) => [key, row[i]])))
    assert.deepEqual(records, [
      {
        trace_id: traceId(1),
        span_id: spanId(1),
        parent_span_id: '',
        service: 'orders',
        host: '',
        pid: '1',
        thread: 'thread 2',
        name,
        kind: 'internal',
        start: '2026-09-21T14:13:20.000000000Z',
        duration_ms: '1.5',
        queue_wait_ms: '0.25',
        status: 'unset',
        status_message: '',
        scope: 'tests',
        attributes: '{"thread.id":2,"threadspan.queue.wait":0.25}',
      },
      {
        ...records[0],
        span_id: spanId(2),
        parent_span_id: spanId(1),
        thread: 'process',
        name: 'span 2',
        start: '2026-09-21T14:13:20.000000001Z',
        duration_ms: '1',
        queue_wait_ms: '',
        status: 'error',
        status_message: 'ü',
        attributes: '{}',
      },
    ])
  })

  it('holds nothing that a spreadsheet computes', async (t) => {
    const target = await viewer(t)
    const evil = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', "=cmd|' /C calc'!A0", '＝1']
    await post(
      target,
      body(
        evil.map((name, i) => span(1, i + 1, 0, { name, status: { code: 2, message: name }, at: i })),
        { 'service.name': '=HYPERLINK("http://x")', 'host.name': '@host' },
      ),
    )
    const rows = parse((await send(`${target.endpoint}/api/export?format=csv`)).body.toString()).slice(1)
    assert.equal(rows.length, evil.length)
    for (const [i, row] of rows.entries()) {
      assert.deepEqual([row[3], row[4]], ['\'=HYPERLINK("http://x")', "'@host"])
      assert.deepEqual([row[7], row[13]], [`'${evil[i]}`, `'${evil[i]}`])
      for (const cell of row) assert.doesNotMatch(cell, /^\s*[=+@\uff1d]|^[\t\r]/)
    }
  })
})
