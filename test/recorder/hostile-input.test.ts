import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Context, context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'
import fc from 'fast-check'
import { startClock } from '#dist/core/clock.js'
import { anyValue } from './hostile-values.js'
import { record } from './support.js'

startClock()

const runs = Number(process.env['THREADSPAN_TEST_RUNS'] ?? 3000)

describe('the API, whatever it is given in any place', () => {
  // biome-ignore lint/suspicious/noExplicitAny: any value in any place is what is tried
  type Loose = any

  it('never throws, and each span arrives as one that OpenTelemetry reads', () => {
    const { recorder, take, reader } = record()
    const calls: [string, (span: Loose, a: Loose, b: Loose, c: Loose) => void][] = [
      ['setAttribute', (span, a, b) => span.setAttribute(a, b)],
      ['setAttribute by a key', (span, a) => span.setAttribute('key', a)],
      ['setAttributes', (span, a) => span.setAttributes(a)],
      ['setAttributes of one', (span, a) => span.setAttributes({ a })],
      ['addEvent', (span, a, b, c) => span.addEvent(a, b, c)],
      ['addEvent with an attribute', (span, a, b) => span.addEvent('e', { a }, b)],
      ['addLink', (span, a) => span.addLink(a)],
      [
        'addLink to a context',
        (span, a, b, c) => span.addLink({ context: a, attributes: b, droppedAttributesCount: c }),
      ],
      ['addLinks', (span, a) => span.addLinks(a)],
      ['addLinks of one', (span, a) => span.addLinks([a])],
      ['setStatus', (span, a) => span.setStatus(a)],
      ['setStatus by code', (span, a, b) => span.setStatus({ code: a, message: b })],
      ['updateName', (span, a) => span.updateName(a)],
      ['recordException', (span, a, b) => span.recordException(a, b)],
      [
        'recordException of parts',
        (span, name, message, stack) => span.recordException({ name, message, stack }),
      ],
      ['spanContext', (span) => span.spanContext()],
      ['isRecording', (span) => span.isRecording()],
    ]
    fc.assert(
      fc.property(
        anyValue,
        anyValue,
        anyValue,
        fc.nat(calls.length - 1),
        fc.nat(3),
        (one, two, three, which, how) => {
          const [a, b, c] = [one(), two(), three()] as Loose[]
          const tracer: Loose = recorder.getTracer(how === 0 ? a : 'test', b, how === 1 ? c : undefined)
          let span: Loose
          if (how === 0) span = tracer.startSpan(a, b, c)
          else if (how === 1)
            span = tracer.startSpan('s', { kind: a, attributes: b, links: c, startTime: a, root: b })
          else if (how === 2) span = tracer.startSpan('s', a, trace.setSpan(ROOT_CONTEXT, b))
          else span = tracer.startSpan('s', {}, trace.setSpanContext(ROOT_CONTEXT, a))
          calls[which]![1](span, a, b, c)
          const isRecording = span.isRecording() as boolean
          span.end(c)
          span.end(a)
          tracer.startSpan('healthy').end()
          const spans = take()
          assert.equal(spans.length, isRecording ? 2 : 1)
          assert.equal(spans.at(-1)!.name, 'healthy')
          for (const { start, end, kind } of spans) {
            assert.ok(end >= start)
            assert.ok(kind >= 1 && kind <= 5)
          }
        },
      ),
      { numRuns: runs },
    )
    assert.deepEqual(reader.takeLosses(), [])
  })

  it('calls the function of an active span once, with its own outcome', () => {
    const { recorder, take } = record()
    const tracer: Loose = recorder.getTracer('test')
    fc.assert(
      fc.property(anyValue, anyValue, anyValue, (one, two, three) => {
        const [a, b, c] = [one(), two(), three()] as Loose[]
        let calls = 0
        const fn = (span: Span): unknown => {
          calls++
          span.end()
          return c
        }
        assert.ok(Object.is(tracer.startActiveSpan(a, fn), c))
        assert.ok(Object.is(tracer.startActiveSpan('s', a, fn), c))
        assert.ok(Object.is(tracer.startActiveSpan('s', a, b, fn), c))
        assert.equal(calls, 3)
        if (typeof a !== 'function') assert.equal(tracer.startActiveSpan('s', a), undefined)
        const own = new Error('its own')
        assert.throws(
          () =>
            tracer.startActiveSpan('s', (span: Span) => {
              span.end()
              throw own
            }),
          own,
        )
        take()
      }),
      { numRuns: Math.ceil(runs / 10) },
    )
  })

  it('takes own attributes alone, a key __proto__ among them', () => {
    const { tracer, take } = record()
    const span = tracer.startSpan('s', {
      attributes: Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }),
    })
    span.setAttributes(JSON.parse('{"__proto__":"p"}'))
    span.addEvent('e', JSON.parse('{"__proto__":["p","q"],"k":1}'))
    span.end()
    const [found] = take()
    assert.deepEqual(Object.entries(found!.attributes), [
      ['own', 2],
      ['__proto__', 'p'],
    ])
    assert.deepEqual(Object.entries(found!.events[0]!.attributes), [
      ['__proto__', ['p', 'q']],
      ['k', 1],
    ])
  })

  it('keeps what can be read beside what cannot', () => {
    const { tracer, take } = record()
    const odd = {
      before: 1,
      get odd() {
        throw new Error('getter')
      },
      after: 2,
    } as Loose
    const span = tracer.startSpan('s', { attributes: odd })
    span.addEvent('e', odd)
    span.addLink({
      context: { traceId: 'A'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, traceState: {} as Loose },
    })
    span.end()
    const [found] = take()
    assert.deepEqual(found!.attributes, { before: 1, after: 2 })
    assert.deepEqual(found!.events[0]!.attributes, { before: 1, after: 2 })
    assert.equal(found!.links[0]!.traceId, 'a'.repeat(32))
  })

  it('takes no status but Ok and Error', () => {
    const { tracer, take } = record()
    const codes = [
      undefined,
      {},
      { message: 'fine' },
      { code: 'OK' },
      { code: 3 },
      { code: '2' },
      null,
    ] as Loose[]
    for (const status of codes) tracer.startSpan('s').setStatus(status).end()
    assert.deepEqual(new Set(take().map(({ status }) => status.code)), new Set([0]))
  })

  it('writes times from the epoch on, and the present for what is no time', () => {
    const { tracer, take } = record()
    const before = BigInt(Date.now() - 1) * 1_000_000n
    tracer.startSpan('epoch', { startTime: new Date(0) }).end()
    tracer.startSpan('before the epoch', { startTime: [-5, 0] }).end([-4, 0])
    tracer.startSpan('no time').end([Number.NaN, Number.NaN])
    tracer.startSpan('no time', { startTime: 'now' as Loose }).end(new Date('no'))
    tracer.startSpan('the year 275760', { startTime: new Date(8.64e15) }).end()
    const [epoch, earlier, none, text, late] = take()
    assert.ok(epoch!.start < 1_000_000n && epoch!.end >= before)
    assert.deepEqual([earlier!.start, earlier!.end], [0n, 0n])
    for (const { start, end } of [none!, text!]) assert.ok(start >= before && end >= start)
    assert.ok(late!.start > before && late!.end >= late!.start)
  })

  it('follows a parent whatever its context has become on the way', () => {
    const { tracer, take } = record()
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }
    const within = (of: Loose): Context => trace.setSpanContext(ROOT_CONTEXT, of)
    const viaJson = JSON.parse(
      JSON.stringify({
        ...parent,
        traceState: {
          serialize() {
            return 'v=1'
          },
        },
      }),
    )
    context.with(ROOT_CONTEXT, () => {
      tracer.startSpan('json', {}, within(viaJson)).end()
      tracer.startSpan('state', {}, within({ ...parent, traceState: { serialize: () => 'v=1' } })).end()
      tracer.startSpan('none', {}, trace.setSpan(ROOT_CONTEXT, {} as Loose)).end()
    })
    const [json, state, none] = take()
    assert.deepEqual([json!.traceId, json!.traceState, state!.traceState], [parent.traceId, '', 'v=1'])
    assert.notEqual(none!.traceId, parent.traceId)
  })
})
