import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

import { captureError, withSpan, withTransaction } from '#dist/index.js'

const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
)
const spans = () =>
  exporter.getFinishedSpans().map(({ name, events, status, attributes }) => ({
    name,
    events: events.map((event) => [
      event.name,
      event.attributes?.['exception.type'],
      event.attributes?.['extra'],
    ]),
    failed: status.code === SpanStatusCode.ERROR,
    type: attributes['error.type'],
  }))
const event = (type: string, extra?: string) => ['exception', type, extra]

describe('an error that leaves spans', () => {
  beforeEach(() => exporter.reset())

  it('is told once, where it was first seen; every span that it passes has failed', async () => {
    const error = new RangeError('no')
    await assert.rejects(
      withTransaction('outer', async () => {
        await sleep(1)
        await withSpan('middle', () =>
          withSpan('inner', () => {
            throw error
          }),
        )
      }),
      (caught) => caught === error,
    )
    assert.deepEqual(spans(), [
      { name: 'inner', events: [event('RangeError')], failed: true, type: 'RangeError' },
      { name: 'middle', events: [], failed: true, type: 'RangeError' },
      { name: 'outer', events: [], failed: true, type: 'RangeError' },
    ])
  })

  it('is told once also where it is no object and has no identity', async () => {
    const thrown = ['a string', 42, undefined, null, Symbol.for('s')]
    for (const value of thrown) {
      exporter.reset()
      assert.throws(
        () =>
          withTransaction('outer', () =>
            withSpan('middle', () =>
              withSpan('inner', () => {
                throw value
              }),
            ),
          ),
        (caught) => Object.is(caught, value),
      )
      assert.deepEqual(
        spans().map(({ name, events, failed }) => [name, events.length, failed]),
        [
          ['inner', 1, true],
          ['middle', 0, true],
          ['outer', 0, true],
        ],
      )
    }
    exporter.reset()
    await Promise.allSettled(
      ['one', 'two'].map((name) =>
        withTransaction(name, () =>
          withSpan(`${name} inside`, async () => {
            await sleep(1)
            throw 'the same text'
          }),
        ),
      ),
    )
    assert.deepEqual(
      spans()
        .map(({ name, events }) => [name, events.length])
        .sort(),
      [
        ['one inside', 1],
        ['one', 0],
        ['two inside', 1],
        ['two', 0],
      ],
    )
  })

  it('one and the same error object, thrown by two spans, is told by both', () => {
    const shared = new Error('again and again')
    withSpan('outer', () => {
      for (const name of ['one', 'two']) {
        try {
          withSpan(name, () => {
            throw shared
          })
        } catch {}
      }
    })
    assert.deepEqual(
      spans().map(({ events }) => events.length),
      [1, 1, 0],
    )
  })
})

describe('captureError', () => {
  beforeEach(() => exporter.reset())

  it('is an event on the active span, which has not failed; thrown on, it is not told again', () => {
    const error = new TypeError('handled')
    withSpan('active', () => captureError(error, { extra: 'x' }))
    assert.throws(() =>
      withSpan('thrown on', () => {
        captureError(error)
        throw error
      }),
    )
    assert.deepEqual(spans(), [
      { name: 'active', events: [event('TypeError', 'x')], failed: false, type: undefined },
      { name: 'thrown on', events: [event('TypeError')], failed: true, type: 'TypeError' },
    ])
  })

  it('outside of any span, and after its end, is a span of its own', async () => {
    captureError('text')
    const later = withSpan('ended', async () => () => 0)
    await later
    await withSpan('early', () => {
      const promise = sleep(5).then(() => captureError(new RangeError('late')))
      return { promise }
    }).promise
    assert.deepEqual(
      spans().map(({ name, failed }) => [name, failed]),
      [
        ['error string', true],
        ['ended', false],
        ['early', false],
        ['error RangeError', true],
      ],
    )
    const [, , early, late] = exporter.getFinishedSpans()
    assert.equal(late!.parentSpanContext?.spanId, early!.spanContext().spanId)
  })
})
