/** Spans of OTLP become what an SDK's exporter makes the same OTLP of again. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'

import { decodeTraces } from '#dist/otlp/decode.js'
import { readableScope, readableSpan } from '#dist/sdk/readable-span.js'
import { DescendantResource, difference } from '#dist/sdk/resource.js'

type Span = import('../../src/otlp/types.js').Span

const full: Span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: '00f067aa0ba902b7',
  traceState: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  flags: 0x101,
  name: 'work',
  kind: 1,
  startTimeUnixNano: 1_795_231_176_163_000_001n,
  endTimeUnixNano: 1_795_231_177_000_000_009n,
  attributes: { text: 'x', n: -3, d: 0.5, yes: true, list: ['a', 'b'], none: [] },
  droppedAttributesCount: 1,
  events: [
    {
      timeUnixNano: 1_795_231_176_200_000_007n,
      name: 'happened',
      attributes: { n: 1 },
      droppedAttributesCount: 2,
    },
  ],
  droppedEventsCount: 3,
  links: [
    {
      traceId: '11111111111111111111111111111111',
      spanId: '2222222222222222',
      traceState: 'a=b',
      attributes: { why: 'because' },
      droppedAttributesCount: 4,
      flags: 0x101,
    },
  ],
  droppedLinksCount: 5,
  status: { code: 2, message: 'failed' },
}

function roundTrip(span: Span): Span {
  const resource = new DescendantResource(undefined, { 'service.name': 'x' })
  const group = { scope: { name: 'scope', version: '1', attributes: {}, droppedAttributesCount: 0 } }
  const scope = readableScope({ ...group, spans: [span], schemaUrl: 'https://example.org/1' })
  const readable = readableSpan(span, scope, resource)
  const bytes = ProtobufTraceSerializer.serializeRequest([readable as never])!
  const [sent] = decodeTraces(bytes).resourceSpans
  assert.deepEqual({ ...sent!.resource.attributes }, { 'service.name': 'x' })
  assert.equal(sent!.scopeSpans[0]!.scope.name, 'scope')
  assert.equal(sent!.scopeSpans[0]!.scope.version, '1')
  return sent!.scopeSpans[0]!.spans[0]!
}

/** Without the null prototypes of what was decoded. */
const plain = (span: Span): unknown =>
  JSON.parse(JSON.stringify(span, (_, value) => (typeof value === 'bigint' ? String(value) : value)))

describe('a readable span', () => {
  it('has everything: exported by the SDK, it is the span it was', () => {
    assert.deepEqual(plain(roundTrip(full)), plain(full))
  })

  it('tells a remote parent from one of this service', () => {
    const flags = (span: Span) => roundTrip(span).flags
    assert.equal(flags({ ...full, flags: 0x301 }), 0x301)
    assert.equal(flags({ ...full, flags: 0x101 }), 0x101)
  })

  it('of a root has no parent, and of a span without a status none', () => {
    const root: Span = {
      ...full,
      parentSpanId: '',
      traceState: '',
      status: { code: 0, message: '' },
      events: [],
      links: [],
      attributes: {},
    }
    assert.deepEqual(plain(roundTrip(root)), plain(root))
  })

  it('keeps each kind', () => {
    for (const kind of [1, 2, 3, 4, 5] as const) assert.equal(roundTrip({ ...full, kind }).kind, kind)
  })

  it('is nothing that an attribute can reach the prototype of', () => {
    const attributes = JSON.parse('{"__proto__": "x", "ok": 1}')
    const readable = readableSpan(
      { ...full, attributes },
      { name: 's' },
      new DescendantResource(undefined, {}),
    )
    assert.deepEqual(readable.attributes, { ok: 1 })
    assert.equal(Object.getPrototypeOf(readable.attributes), Object.prototype)
  })
})

describe('the resource of a descendant', () => {
  it("is the SDK's, with what sets the descendant apart", () => {
    const sdk = { 'service.name': 'given in code', 'process.pid': 1, 'host.name': 'h' }
    const own = { 'service.name': 'unknown_service:node', 'process.pid': 1 }
    const child = { 'service.name': 'unknown_service:node', 'process.pid': 2 }
    const base = new DescendantResource(undefined, sdk)
    const resource = new DescendantResource(base, difference(child, own))
    assert.deepEqual(resource.attributes, { ...sdk, 'process.pid': 2 })
  })

  it("takes a service of the descendant's own", () => {
    const own = { 'service.name': 'parent' }
    assert.deepEqual(difference({ 'service.name': 'other' }, own), { 'service.name': 'other' })
  })
})
