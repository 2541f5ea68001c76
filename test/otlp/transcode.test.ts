import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { decodeTraces } from '#dist/otlp/decode.js'
import { decodeLogs } from '#dist/otlp/decode-logs.js'
import { decodeMetrics } from '#dist/otlp/decode-metrics.js'
import { lengthDelimited } from '#dist/otlp/encode.js'
import { tracesFromJson } from '#dist/otlp/json.js'
import { logsFromJson } from '#dist/otlp/json-logs.js'
import { metricsFromJson } from '#dist/otlp/json-metrics.js'
import { transcodeToJson } from '#dist/otlp/json-transcode.js'
import { sdkSpans } from './sdk.js'

const require = createRequire(import.meta.url)
const { collector } = require(
  require.resolve('@opentelemetry/otlp-definitions').replace(/index\.js$/, 'generated/root.js'),
).opentelemetry.proto

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const LARGE = '9007199254740993'
const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

/** Each kind of value, with what is lost where a number is only a number. */
const VALUES = [
  ['text', { stringValue: 'Ünï😀' }],
  ['empty', { stringValue: '' }],
  ['no', { boolValue: false }],
  ['whole', { doubleValue: 7 }],
  ['integer', { intValue: '7' }],
  ['large', { intValue: LARGE }],
  ['negative', { intValue: '-5' }],
  [
    'list',
    { arrayValue: { values: [{ stringValue: 'x' }, { arrayValue: { values: [{ intValue: '1' }] } }] } },
  ],
  ['map', { kvlistValue: { values: [{ key: 'k', value: { doubleValue: 0.5 } }] } }],
] as const
const attributes = VALUES.map(([key, value]) => ({ key, value }))

/** What the definitions want of ids: bytes, where JSON has digits. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      /^(?:traceId|spanId|parentSpanId)$/.test(key) ? hex(inner as string) : withBytes(inner),
    ]),
  )
}

describe('transcodeToJson', () => {
  it("writes each field of a trace as OpenTelemetry's definitions name it", () => {
    const request = {
      resourceSpans: [
        {
          resource: { attributes, droppedAttributesCount: 1 },
          scopeSpans: [
            {
              scope: { name: 's', version: '1', attributes, droppedAttributesCount: 2 },
              spans: [
                {
                  traceId,
                  spanId,
                  parentSpanId: spanId,
                  traceState: 'a=b',
                  flags: 0x301,
                  name: 'n',
                  kind: 2,
                  startTimeUnixNano: '1790000000000000001',
                  endTimeUnixNano: '1790000000000000002',
                  attributes,
                  droppedAttributesCount: 3,
                  events: [{ timeUnixNano: '1', name: 'e', attributes, droppedAttributesCount: 4 }],
                  droppedEventsCount: 5,
                  links: [
                    { traceId, spanId, traceState: 'c=d', attributes, droppedAttributesCount: 6, flags: 1 },
                  ],
                  droppedLinksCount: 7,
                  status: { message: 'm', code: 2 },
                },
              ],
              schemaUrl: 'u',
            },
          ],
          schemaUrl: 'v',
        },
      ],
    }
    const type = collector.trace.v1.ExportTraceServiceRequest
    const bytes = type.encode(type.fromObject(withBytes(request))).finish()
    assert.deepEqual(JSON.parse(transcodeToJson('traces', bytes)), request)
  })

  it("writes each field of metrics as OpenTelemetry's definitions name it", () => {
    const times = { startTimeUnixNano: '1', timeUnixNano: '2' }
    const exemplars = [{ filteredAttributes: attributes, timeUnixNano: '3', asInt: LARGE, spanId, traceId }]
    const point = { ...times, attributes, flags: 1 }
    const counted = { ...point, count: LARGE, sum: 1.5 }
    const request = {
      resourceMetrics: [
        {
          resource: { attributes },
          scopeMetrics: [
            {
              scope: { name: 's' },
              metrics: [
                {
                  name: 'g',
                  description: 'd',
                  unit: 'By',
                  gauge: { dataPoints: [{ ...point, asDouble: 2, exemplars }] },
                },
                {
                  name: 's',
                  sum: {
                    dataPoints: [{ ...point, asInt: '-3' }],
                    aggregationTemporality: 2,
                    isMonotonic: true,
                  },
                  metadata: attributes,
                },
                {
                  name: 'h',
                  histogram: {
                    dataPoints: [
                      {
                        ...counted,
                        bucketCounts: ['1', LARGE],
                        explicitBounds: [0.5, 2],
                        exemplars,
                        min: 0,
                        max: 4,
                      },
                    ],
                    aggregationTemporality: 1,
                  },
                },
                {
                  name: 'e',
                  exponentialHistogram: {
                    dataPoints: [
                      {
                        ...counted,
                        scale: -2,
                        zeroCount: '1',
                        positive: { offset: -7, bucketCounts: ['1', LARGE] },
                        negative: { offset: 3, bucketCounts: ['4'] },
                        exemplars,
                        min: -1,
                        max: 9,
                        zeroThreshold: 0.25,
                      },
                    ],
                    aggregationTemporality: 2,
                  },
                },
                {
                  name: 'q',
                  summary: { dataPoints: [{ ...counted, quantileValues: [{ quantile: 0.99, value: 42 }] }] },
                },
              ],
              schemaUrl: 'u',
            },
          ],
          schemaUrl: 'v',
        },
      ],
    }
    const type = collector.metrics.v1.ExportMetricsServiceRequest
    const bytes = type.encode(type.fromObject(withBytes(request))).finish()
    const text = transcodeToJson('metrics', bytes)
    assert.deepEqual(JSON.parse(text), request)
    assert.deepEqual(metricsFromJson(JSON.parse(text)), decodeMetrics(bytes))
  })

  it('writes logs', () => {
    const fixed64 = (tag: number, value: bigint): Buffer => {
      const field = Buffer.alloc(9, tag)
      field.writeBigUInt64LE(value, 1)
      return field
    }
    const record = Buffer.concat([
      fixed64(0x09, 5n),
      fixed64(0x59, 6n),
      Buffer.from([0x10, 17, 0x1a, 1, 0x45]),
      lengthDelimited(0x2a, lengthDelimited(0x0a, Buffer.from('body'))),
      Buffer.from([0x45, 1, 0, 0, 0]),
      lengthDelimited(0x4a, hex(traceId)),
      lengthDelimited(0x52, hex(spanId)),
      lengthDelimited(0x62, Buffer.from('event')),
    ])
    const bytes = lengthDelimited(0x0a, lengthDelimited(0x12, lengthDelimited(0x12, record)))
    const json = JSON.parse(transcodeToJson('logs', bytes))
    assert.deepEqual(json.resourceLogs[0].scopeLogs[0].logRecords, [
      {
        timeUnixNano: '5',
        observedTimeUnixNano: '6',
        severityNumber: 17,
        severityText: 'E',
        body: { stringValue: 'body' },
        flags: 1,
        traceId,
        spanId,
        eventName: 'event',
      },
    ])
    assert.deepEqual(logsFromJson(json), decodeLogs(bytes))
  })

  it("says what OpenTelemetry's own serializer says", () => {
    const spans = sdkSpans()
    const own = tracesFromJson(
      JSON.parse(transcodeToJson('traces', ProtobufTraceSerializer.serializeRequest(spans)!)),
    )
    const theirs = JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)))
    assert.deepEqual(own, tracesFromJson(theirs))
  })

  it('writes doubles that JSON has no number for, as proto3 has it', () => {
    for (const [value, text] of [
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [Number.NEGATIVE_INFINITY, '-Infinity'],
      [-0, '-0'],
    ] as const) {
      const double = Buffer.alloc(9, 0x21)
      double.writeDoubleLE(value, 1)
      const pair = Buffer.concat([lengthDelimited(0x0a, Buffer.from('k')), lengthDelimited(0x12, double)])
      const bytes = lengthDelimited(0x0a, lengthDelimited(0x0a, lengthDelimited(0x0a, pair)))
      const [{ resource }] = JSON.parse(transcodeToJson('traces', bytes)).resourceSpans
      assert.deepEqual(resource.attributes, [{ key: 'k', value: { doubleValue: text } }])
    }
  })

  it('refuses what is no OTLP, and passes over fields that are not known', () => {
    const type = collector.trace.v1.ExportTraceServiceRequest
    const bytes: Uint8Array = ProtobufTraceSerializer.serializeRequest(sdkSpans())!
    assert.ok(type.decode(bytes))
    const malformed = { code: 'THREADSPAN_OTLP_MALFORMED' }
    for (let length = 1; length < bytes.length; length++)
      assert.throws(() => transcodeToJson('traces', bytes.subarray(0, length)), malformed)
    assert.throws(() => transcodeToJson('traces', hex('0801')), malformed)
    let nested: Uint8Array = new Uint8Array(0)
    for (let depth = 0; depth < 10_000; depth++) nested = lengthDelimited(0x2a, lengthDelimited(0x0a, nested))
    const pair = Buffer.concat([lengthDelimited(0x0a, Buffer.from('k')), lengthDelimited(0x12, nested)])
    const deep = lengthDelimited(0x0a, lengthDelimited(0x0a, lengthDelimited(0x0a, pair)))
    assert.throws(() => transcodeToJson('traces', deep), malformed)
    assert.equal(transcodeToJson('traces', hex('fa0102abcd')), '{}')
    assert.deepEqual(decodeTraces(hex('fa0102abcd')).resourceSpans, [])
  })
})
