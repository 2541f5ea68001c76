import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import fc from 'fast-check'
import { recordError } from '#dist/context/exception.js'
import { parseTracestate } from '#dist/core/tracestate.js'
import { record, samplers } from './support.js'

const remote: SpanContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
}
const within = (context: SpanContext) => trace.setSpanContext(ROOT_CONTEXT, context)

/** What arrives of a text: lone surrogates have no UTF-8. */
const arriving = (text: string) => Buffer.from(text).toString()

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
)
const numbers = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.maxSafeInteger())
const values = fc.oneof(
  texts,
  numbers,
  fc.boolean(),
  fc.array(texts, { maxLength: 5 }),
  fc.array(numbers, { maxLength: 5 }),
  fc.array(fc.boolean(), { maxLength: 5 }),
)
const keys = texts.filter((key) => key.length > 0 && key !== '__proto__' && arriving(key) === key)
const attributes = fc.dictionary(keys, values, { maxKeys: 12, noNullPrototype: true })

function expected(given: Attributes): Attributes {
  const plain = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(plain) : typeof value === 'string' ? arriving(value) : value
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, plain(value)])) as Attributes
}

describe('the recorder', () => {
  it('has an error that the application has recorded told once, and each time', () => {
    const { tracer, take } = record()
    const error = new RangeError('no')
    const span = tracer.startSpan('told by both')
    span.recordException(error)
    recordError(span, error)
    span.end()
    const again = tracer.startSpan('comes up again')
    recordError(again, error)
    again.end()
    const told = take().map(({ events, attributes, status }) => [
      events.length,
      attributes['error.type'],
      status,
    ])
    const failed = [1, 'RangeError', { code: 2, message: 'no' }]
    assert.deepEqual(told, [failed, failed])
  })

  it('writes spans that OpenTelemetry reads as they were made', () => {
    const { tracer, take } = record()
    fc.assert(
      fc.property(
        fc.record({
          name: texts,
          first: attributes,
          later: attributes,
          event: texts,
          status: texts,
          kind: fc.nat({ max: 4 }),
        }),
        ({ name, first, later, event, status, kind }) => {
          const span = tracer.startSpan(name, {
            kind,
            attributes: first,
            links: [{ context: remote, attributes: later }],
          })
          span.setAttributes(later)
          span.addEvent(event, first)
          span.setStatus({ code: 2, message: status })
          span.end()
          const [found, ...more] = take()
          assert.equal(more.length, 0)
          assert.equal(found!.name, arriving(name))
          assert.equal(found!.kind, kind + 1)
          assert.deepEqual(found!.attributes, expected({ ...first, ...later }))
          assert.deepEqual(found!.events, [
            { name: arriving(event), attributes: expected(first), dropped: 0 },
          ])
          assert.deepEqual(found!.links, [
            { traceId: remote.traceId, spanId: remote.spanId, attributes: expected(later) },
          ])
          assert.deepEqual(found!.status, { code: 2, message: arriving(status) })
          assert.equal(found!.spanId, span.spanContext().spanId)
          assert.ok(found!.end >= found!.start)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('continues the trace of a parent, and says whether that is remote', () => {
    const { tracer, take } = record()
    const span = tracer.startSpan('child', {}, within(remote))
    span.end()
    const inner = tracer.startSpan('inner', {}, trace.setSpan(ROOT_CONTEXT, span))
    inner.end()
    tracer.startSpan('root', { root: true }, within(remote)).end()
    const [child, grandchild, root] = take()
    assert.deepEqual([child!.traceId, child!.parentSpanId], [remote.traceId, remote.spanId])
    assert.equal(child!.flags & 0x300, 0x300)
    assert.deepEqual([grandchild!.traceId, grandchild!.parentSpanId], [remote.traceId, child!.spanId])
    assert.equal(grandchild!.flags & 0x300, 0x100)
    assert.notEqual(root!.traceId, remote.traceId)
    assert.equal(root!.parentSpanId, '')
  })

  it('ends once, and changes no more after that', () => {
    const { tracer, take } = record()
    const span = tracer.startSpan('one', { kind: SpanKind.CLIENT, startTime: [1_700_000_000, 5] })
    assert.equal(span.isRecording(), true)
    span.end([1_700_000_001, 500])
    assert.equal(span.isRecording(), false)
    span.setAttribute('late', 1).addEvent('late').setStatus({ code: 2 }).updateName('late')
    span.end()
    const found = take()
    assert.equal(found.length, 1)
    assert.equal(found[0]!.name, 'one')
    assert.deepEqual(found[0]!.attributes, {})
    assert.equal(found[0]!.end / 1000n, 1_700_000_001_000_000n)
    assert.deepEqual(found[0]!.status, { code: 0, message: '' })
  })

  it('writes the times that it is given to the nanosecond', () => {
    const { tracer, take } = record()
    const seconds = Math.floor(Date.now() / 1000) - 100
    const second = BigInt(seconds) * 1_000_000_000n
    for (const nanos of [0, 1, 7, 500, 999, 123_456_789, 999_999_999]) {
      tracer.startSpan('one', { startTime: [seconds, nanos] }).end([seconds + 1, nanos])
      tracer.startSpan('one', { startTime: new Date(seconds * 1000 + 7) }).end(new Date((seconds + 1) * 1000))
      const found = take().map(({ start, end }) => [start - second, end - second])
      assert.deepEqual(found, [
        [BigInt(nanos), 1_000_000_000n + BigInt(nanos)],
        [7_000_000n, 1_000_000_000n],
      ])
    }
  })

  it('holds Ok to be final, and a message to belong to an error', () => {
    const { tracer, take } = record()
    const one = tracer.startSpan('one')
    one
      .setStatus({ code: 2, message: 'wrong' })
      .setStatus({ code: 1, message: 'ignored' })
      .setStatus({ code: 2 })
      .end()
    const two = tracer.startSpan('two')
    two
      .setStatus({ code: 2, message: 'first' })
      .setStatus({ code: 0 })
      .setStatus({ code: 2, message: 'last' })
      .end()
    const [ok, error] = take()
    assert.deepEqual(ok!.status, { code: 1, message: '' })
    assert.deepEqual(error!.status, { code: 2, message: 'last' })
  })

  it('keeps to the limits, and counts what it leaves out', () => {
    const { tracer, take } = record({
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '3',
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '5',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '2',
      OTEL_SPAN_LINK_COUNT_LIMIT: '1',
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '1',
    })
    const span = tracer.startSpan('limited', {
      attributes: { a: 'abcdefgh', b: ['abcdefgh', 'x'], c: 1, d: 2 },
    })
    span.setAttribute('e', 3).setAttribute('a', 'changed')
    for (const name of ['one', 'two', 'three']) span.addEvent(name, { x: 1, y: 2 })
    span.addLink({ context: remote }).addLink({ context: remote }).end()
    const [found] = take()
    assert.deepEqual(found!.attributes, { a: 'chang', b: ['abcde', 'x'], c: 1 })
    assert.equal(found!.droppedAttributes, 2)
    assert.equal(found!.events.length, 2)
    assert.deepEqual(found!.events[1], { name: 'three', attributes: { x: 1 }, dropped: 1 })
    assert.equal(found!.droppedEvents, 1)
    assert.equal(found!.links.length, 1)
    assert.equal(found!.droppedLinks, 1)
  })

  it('brings home a span that is larger than any ring, cut and marked', () => {
    const { tracer, take, reader } = record()
    tracer.startSpan('large', { attributes: { text: 'x'.repeat(5_000_000) } }).end()
    const [found] = take()
    assert.equal(found!.attributes['threadspan.truncated'], true)
    assert.ok((found!.attributes['text'] as string).length > 1000)
    assert.deepEqual(reader.takeLosses(), [])
  })

  it('does not throw whatever it is given', () => {
    const { tracer, take } = record()
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (a, b, c) => {
        const span = tracer.startSpan(typeof a === 'symbol' ? 's' : (a as string), {}, ROOT_CONTEXT)
        span.setAttribute(b as string, c as string)
        span.setAttributes(c as Attributes)
        span.addEvent('event', c as Attributes)
        span.addLink({ context: c as SpanContext, attributes: b as Attributes })
        span.setStatus(c as { code: number })
        span.recordException(c as Error)
        span.end(c as number)
        assert.equal(take().length, 1)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('samplers', () => {
  const traceId = (random: string) => `${'ab'.repeat(9)}${random}`

  it('decide as the specification says, and a lower ratio keeps a part of a higher one', () => {
    for (const ratio of [0, 0.1, 0.5, 1]) {
      const { tracer } = record({}, samplers.traceIdRatio(ratio))
      let kept = 0
      for (let i = 0; i < 4000; i++) {
        const random = Math.floor(((i + 0.5) / 4000) * 2 ** 48)
          .toString(16)
          .padStart(12, '0')
        const parent = { ...remote, traceId: traceId(`${random}00`) }
        const sampled = tracer.startSpan('s', {}, within(parent)).isRecording()
        if (sampled) kept++
        assert.equal(sampled, i >= 4000 * (1 - ratio), `${ratio} ${i}`)
      }
      assert.equal(kept, 4000 * ratio)
    }
  })

  it('tell by which threshold they decided, in the words of the specification', () => {
    const expected = [
      [1 / 2, '8'],
      [1 / 3, 'aaab'],
      [1 / 4, 'c'],
      [1 / 5, 'cccd'],
      [1 / 8, 'e'],
      [1 / 10, 'e666'],
      [1 / 16, 'f'],
      [1e-2, 'fd70a'],
      [1e-3, 'ffbe77'],
      [1e-4, 'fff9724'],
      [1e-5, 'ffff583a'],
      [1e-6, 'ffffef39'],
      [1, '0'],
      [2 ** -56, 'fffffffffffff'],
    ] as const
    for (const [ratio, threshold] of expected) {
      const sampler = samplers.traceIdRatio(ratio)
      assert.equal(sampler.threshold, threshold)
      // The least random value that is kept is what is told.
      const least = BigInt(`0x${threshold.padEnd(14, '0')}`)
      const at = (random: bigint) =>
        record({}, sampler)
          .tracer.startSpan(
            's',
            {},
            within({ ...remote, traceId: traceId(random.toString(16).padStart(14, '0')) }),
          )
          .isRecording()
      assert.equal(at(least), true, threshold)
      // Sixteen are what a number of 53 bits can tell apart there.
      if (least > 0n) assert.equal(at(least - 16n), false, threshold)
    }
  })

  it('tell it of roots that chance has kept, and of what is below them', () => {
    const state = (span: Span): string | undefined => span.spanContext().traceState?.serialize()
    const kept = samplers.parentBased({ ...samplers.traceIdRatio(0.5), shouldSample: () => true })
    const { tracer, take } = record({}, kept)
    const root = tracer.startSpan('root')
    assert.equal(state(root), 'ot=th:8')
    const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root))
    assert.equal(state(child), 'ot=th:8')
    child.end()
    root.end()
    assert.deepEqual(
      take().map(({ traceState }) => traceState),
      ['ot=th:8', 'ot=th:8'],
    )
    const theirs = parseTracestate('ot=th:c;rv:12345678901234,x=y')!
    const followed = tracer.startSpan('followed', {}, within({ ...remote, traceState: theirs }))
    assert.equal(state(followed), 'ot=th:c;rv:12345678901234,x=y')
    const own = record({}, { shouldSample: () => true, threshold: '8' }).tracer
    assert.equal(
      state(own.startSpan('own', {}, within({ ...remote, traceState: theirs }))),
      'ot=th:8;rv:12345678901234,x=y',
    )
    assert.equal(state(own.startSpan('own', {}, within(remote))), 'ot=th:8')
    assert.equal(
      state(record({}, samplers.parentBased(samplers.alwaysOn)).tracer.startSpan('all')),
      undefined,
    )
  })

  it('follow the parent', () => {
    const { tracer, take } = record({}, samplers.parentBased(samplers.alwaysOff))
    assert.equal(tracer.startSpan('root').isRecording(), false)
    assert.equal(tracer.startSpan('yes', {}, within(remote)).isRecording(), true)
    const no = tracer.startSpan('no', {}, within({ ...remote, traceFlags: 0 }))
    assert.equal(no.isRecording(), false)
    assert.equal(no.spanContext().traceId, remote.traceId)
    assert.equal(no.spanContext().traceFlags & 1, 0)
    no.end()
    assert.deepEqual(take(), [])
  })
})
