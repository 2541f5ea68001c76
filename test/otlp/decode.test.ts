import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import fc from 'fast-check'
import { decodeSpan, decodeTraces } from '#dist/otlp/decode.js'
import { encodeResource, encodeScope, lengthDelimited } from '#dist/otlp/encode.js'
import { encodeSpan } from '#dist/otlp/encode-span.js'
import { tracesFromJson } from '#dist/otlp/json.js'
import { transcodeToJson } from '#dist/otlp/json-transcode.js'
import { sdkSpans } from './sdk.js'

const malformed = { code: 'THREADSPAN_OTLP_MALFORMED' }
const wrap = (span: Uint8Array) => lengthDelimited(0x0a, lengthDelimited(0x12, lengthDelimited(0x12, span)))
const onlySpan = (bytes: Uint8Array) => decodeTraces(bytes).resourceSpans[0]!.scopeSpans[0]!.spans[0]!

function sdkBytes(): Uint8Array {
  return ProtobufTraceSerializer.serializeRequest(sdkSpans())!
}

describe('decodeTraces', () => {
  it("reads what OpenTelemetry's serializer writes, as JSON does", () => {
    const spans = sdkSpans()
    const decoded = decodeTraces(ProtobufTraceSerializer.serializeRequest(spans)!)
    const json: unknown = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)!))
    assert.deepEqual(decoded, tracesFromJson(json))
    const [task, root] = decoded.resourceSpans[0]!.scopeSpans[0]!.spans
    assert.equal(decoded.resourceSpans[0]!.resource.attributes['process.pid'], 4242)
    assert.deepEqual(
      { ...root!.attributes },
      { text: 'a', whole: 7, negative: -5, fraction: 1.5, yes: true, list: ['x', 'y'], large: 2 ** 52 },
    )
    assert.equal(root!.name, 'GET /orders/Ünï😀')
    assert.equal(root!.kind, 2)
    assert.equal(root!.traceId, '0af7651916cd43dd8448eb211c80319c')
    assert.equal(root!.parentSpanId, 'b7ad6b7169203331')
    assert.equal(root!.flags & 0x300, 0x300)
    assert.deepEqual(root!.status, { code: 2, message: 'failed' })
    assert.deepEqual(
      root!.events.map(({ name }) => name),
      ['cache miss', 'exception'],
    )
    assert.equal(root!.events[1]!.attributes['exception.message'], 'no such order')
    assert.equal(task!.links[0]!.spanId, root!.spanId)
    const [seconds, nanos] = spans[1]!.startTime
    assert.equal(root!.startTimeUnixNano, BigInt(seconds) * 1_000_000_000n + BigInt(nanos))
  })

  it('refuses every truncation with one code', () => {
    const bytes = sdkBytes()
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(
        () => decodeTraces(bytes.subarray(0, length)),
        malformed,
        `cut to ${length} of ${bytes.length}`,
      )
    }
  })

  it('throws nothing but its own error, whatever the bytes', () => {
    const bytes = sdkBytes()
    const tries = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
        .map((changes) => {
          const copy = Uint8Array.from(bytes)
          for (const [at, value] of changes) copy[at] = value
          return copy
        }),
    )
    fc.assert(
      fc.property(tries, (input) => {
        try {
          decodeTraces(input)
        } catch (error) {
          assert.equal((error as { code?: string }).code, malformed.code)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('takes varints that are longer than they need to be', () => {
    // Name "hi" with a length of five bytes, kind 2 in ten.
    const span = [0x2a, 0x82, 0x80, 0x80, 0x80, 0x00, 0x68, 0x69]
    const kind = [0x30, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]
    const decoded = decodeSpan(Uint8Array.from([...span, ...kind]))
    assert.equal(decoded.name, 'hi')
    assert.equal(decoded.kind, 2)
    assert.throws(() => decodeSpan(Uint8Array.from([0x30, ...Array<number>(10).fill(0x80), 0])), malformed)
  })

  it('passes over unknown fields of every wire type', () => {
    const unknown = [
      ...[0xf8, 0x07, 0x05], // field 127, varint
      ...[0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8], // fixed64
      ...[0xfa, 0x07, 2, 9, 9], // bytes
      ...[0xfb, 0x07, 0x08, 0x01, 0x0b, 0x0c, 0xfc, 0x07], // a group with a group in it
      ...[0xfd, 0x07, 1, 2, 3, 4], // fixed32
    ]
    assert.equal(decodeSpan(Uint8Array.from([...unknown, 0x2a, 1, 0x61, ...unknown])).name, 'a')
  })

  it('refuses known fields with a wrong wire type, unmatched groups and field 0', () => {
    for (const bytes of [
      [0x28, 1], // name as varint
      [0x32, 0], // kind as bytes
      [0x38, 1], // start as varint
      [0xfb, 0x07, 0x08, 0x01], // group without end
      [0xfb, 0x07, 0xf4, 0x07], // group that ends as another
      [0xfc, 0x07], // end without start
      [0x02, 0],
      [0xfe, 0x07], // wire type 6
    ]) {
      assert.throws(() => decodeSpan(Uint8Array.from(bytes)), malformed, `[${bytes}]`)
    }
  })

  it('bounds the depth of attribute values and of groups', () => {
    let value: Uint8Array = lengthDelimited(0x0a, Uint8Array.of(0x61))
    const attribute = () => {
      const key = lengthDelimited(0x0a, Uint8Array.of(0x6b))
      return lengthDelimited(0x4a, Uint8Array.from([...key, ...lengthDelimited(0x12, value)]))
    }
    for (let i = 0; i < 60; i++) value = lengthDelimited(0x2a, lengthDelimited(0x0a, value))
    assert.ok(Array.isArray(decodeSpan(attribute()).attributes['k']))
    for (let i = 0; i < 60; i++) value = lengthDelimited(0x2a, lengthDelimited(0x0a, value))
    assert.throws(() => decodeSpan(attribute()), malformed)
    const groups = Uint8Array.from(Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? 0xfb : 0x07)))
    assert.throws(() => decodeSpan(groups), malformed)
  })

  it('keeps 64-bit integers exact, and keys away from prototypes', () => {
    const pair = (key: string, value: number[]) =>
      lengthDelimited(
        0x4a,
        Uint8Array.from([
          ...lengthDelimited(0x0a, Buffer.from(key)),
          ...lengthDelimited(0x12, Uint8Array.from(value)),
        ]),
      )
    const least = [0x18, ...Array<number>(9).fill(0x80), 0x01]
    const decoded = decodeSpan(Buffer.concat([pair('min', least), pair('__proto__', [0x10, 1])]))
    assert.equal(decoded.attributes['min'], -(2n ** 63n))
    assert.deepEqual(Object.keys(decoded.attributes), ['min', '__proto__'])
    assert.equal(Object.getPrototypeOf(decoded.attributes), null)
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  it('reads a message in parts and joins them, as protobuf requires', () => {
    const status = Uint8Array.from([
      ...lengthDelimited(0x7a, Uint8Array.of(0x18, 2)),
      ...lengthDelimited(0x7a, Uint8Array.of(0x12, 1, 0x78)),
    ])
    assert.deepEqual(decodeSpan(status).status, { code: 2, message: 'x' })
  })
})

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true })
const hexId = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'))
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.double({ noNaN: true }),
    fc.constant(-0),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 60n) }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: false }).map(bare),
  ),
})).value
function bare(object: object): Record<string, never> {
  return Object.assign(Object.create(null) as Record<string, never>, object)
}

const attributes = fc.dictionary(fc.string(), anyValue, { maxKeys: 5 }).map(bare)
const count = fc.nat(1000)
const time = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const span = record({
  traceId: hexId(16),
  spanId: hexId(8),
  parentSpanId: fc.oneof(fc.constant(''), hexId(8)),
  traceState: fc.string(),
  flags: fc.nat(0xffff),
  name: fc.string({ unit: 'grapheme', maxLength: 300 }),
  kind: fc.constantFrom(0, 1, 2, 3, 4, 5),
  startTimeUnixNano: time,
  endTimeUnixNano: time,
  attributes,
  droppedAttributesCount: count,
  events: fc.array(
    record({ timeUnixNano: time, name: fc.string(), attributes, droppedAttributesCount: count }),
    { maxLength: 3 },
  ),
  droppedEventsCount: count,
  links: fc.array(
    record({
      traceId: hexId(16),
      spanId: hexId(8),
      traceState: fc.string(),
      attributes,
      droppedAttributesCount: count,
      flags: fc.nat(0xffff),
    }),
    { maxLength: 3 },
  ),
  droppedLinksCount: count,
  status: record({ code: fc.constantFrom(0, 1, 2), message: fc.string() }),
})

describe('spans there and back', () => {
  it('through protobuf', () => {
    fc.assert(
      fc.property(span, (original) => {
        assert.deepEqual(onlySpan(wrap(encodeSpan(original as never))), original)
      }),
      { numRuns: 500 },
    )
  })

  it('through JSON', () => {
    fc.assert(
      fc.property(span, (original) => {
        const scope = { name: 's', version: '', attributes: bare({}), droppedAttributesCount: 0 }
        const resource = { attributes: bare({ 'service.name': 'x' }), droppedAttributesCount: 1 }
        const request = {
          resourceSpans: [
            { resource, scopeSpans: [{ scope, spans: [original], schemaUrl: 'u' }], schemaUrl: '' },
          ],
        }
        const scopeSpans = Buffer.concat([
          lengthDelimited(0x0a, encodeScope('s')),
          lengthDelimited(0x12, encodeSpan(original as never)),
          lengthDelimited(0x1a, Buffer.from('u')),
        ])
        const resourceSpans = Buffer.concat([
          lengthDelimited(0x0a, encodeResource(resource.attributes, 1)),
          lengthDelimited(0x12, scopeSpans),
        ])
        const text = transcodeToJson('traces', lengthDelimited(0x0a, resourceSpans))
        assert.deepEqual(tracesFromJson(JSON.parse(text)), request)
      }),
      { numRuns: 500 },
    )
  })
})

describe('tracesFromJson', () => {
  const one = (json: object) =>
    tracesFromJson({ resourceSpans: [{ scopeSpans: [{ spans: [json] }] }] }).resourceSpans[0]!.scopeSpans[0]!
      .spans[0]!

  it('takes ids in any case, integers as strings or numbers, null as absent, and unknown keys', () => {
    const read = one({
      traceId: '5B8EFFF798038103D269B633813FC60C',
      spanId: 'EEE19B7EC3C1B174',
      parentSpanId: null,
      name: null,
      startTimeUnixNano: 1_544_712_660_000_000_000,
      endTimeUnixNano: '1544712661000000001',
      kind: 2,
      flags: 256,
      attributes: [
        { key: 'string', value: { intValue: '9007199254740993' } },
        { key: 'number', value: { intValue: 5 } },
        { key: 'nan', value: { doubleValue: 'NaN' } },
        { key: 'bytes', value: { bytesValue: 'AQID' } },
        { key: 'none', value: {} },
        { key: 'map', value: { kvlistValue: { values: [{ key: 'a', value: { boolValue: false } }] } } },
      ],
      newField: [1, 2],
    })
    assert.equal(read.traceId, '5b8efff798038103d269b633813fc60c')
    assert.equal(read.parentSpanId, '')
    assert.equal(read.endTimeUnixNano, 1544712661000000001n)
    assert.equal(read.attributes['string'], 9007199254740993n)
    assert.equal(read.attributes['number'], 5)
    assert.ok(Number.isNaN(read.attributes['nan']))
    assert.deepEqual(read.attributes['bytes'], Uint8Array.of(1, 2, 3))
    assert.equal(read.attributes['none'], null)
    assert.deepEqual({ ...(read.attributes['map'] as object) }, { a: false })
  })

  it('refuses wrong types', () => {
    for (const value of [null, 1, 'x', [], { resourceSpans: {} }, { resourceSpans: [1] }]) {
      assert.throws(() => tracesFromJson(value), malformed, JSON.stringify(value))
    }
    for (const wrong of [
      { traceId: 5 },
      { traceId: 'zz' },
      { name: {} },
      { kind: 'SPAN_KIND_SERVER' },
      { startTimeUnixNano: '1e9' },
      { startTimeUnixNano: -1 },
      { startTimeUnixNano: '99999999999999999999' },
      { attributes: {} },
      { attributes: [{ key: 'a', value: { intValue: 1.5 } }] },
      { attributes: [{ key: 'a', value: { boolValue: 'true' } }] },
      { status: 'ERROR' },
      { events: [null] },
    ]) {
      assert.throws(() => one(wrong), malformed, JSON.stringify(wrong))
    }
  })

  it('bounds the depth', () => {
    let value: object = { stringValue: 'x' }
    for (let i = 0; i < 5000; i++) value = { arrayValue: { values: [value] } }
    assert.throws(() => one({ attributes: [{ key: 'deep', value }] }), malformed)
  })
})
