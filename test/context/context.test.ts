import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import * as api from '@opentelemetry/api'
import fc from 'fast-check'

import { contextWithBaggage, contextWithSpan, contextWithValue, spanOf } from '#dist/context/context.js'

const { ROOT_CONTEXT, createContextKey, trace } = api
const bundled = createRequire(import.meta.url)('@opentelemetry/api-bundled') as typeof api
const span = (n: number) =>
  trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: String(n).padStart(16, '0'), traceFlags: 1 })

test('every copy of the API reads the span and the baggage that we set, and we read theirs', () => {
  const baggage = api.propagation.createBaggage({ a: { value: '1' } })
  const ours = contextWithBaggage(contextWithSpan(ROOT_CONTEXT, span(1)), baggage)
  for (const copy of [api, bundled]) {
    assert.equal(copy.trace.getSpan(ours)?.spanContext().spanId, '0000000000000001')
    assert.equal(copy.propagation.getBaggage(ours), baggage)
    assert.equal(
      spanOf(copy.trace.setSpan(copy.ROOT_CONTEXT, span(2)))?.spanContext().spanId,
      '0000000000000002',
    )
    assert.equal(copy.trace.getSpan(copy.trace.deleteSpan(ours)), undefined)
    assert.equal(
      spanOf(contextWithSpan(copy.ROOT_CONTEXT, span(3)))?.spanContext().spanId,
      '0000000000000003',
    )
  }
  assert.equal(spanOf(ROOT_CONTEXT), undefined)
})

test('a change makes a new context and leaves the old one alone', () => {
  const key = createContextKey('k')
  const one = contextWithValue(ROOT_CONTEXT, key, 1)
  const two = one.setValue(key, 2)
  const none = two.deleteValue(key)
  assert.deepEqual(
    [one, two, none].map((c) => c.getValue(key)),
    [1, 2, undefined],
  )
  assert.equal(none.deleteValue(key), none)
  assert.equal(ROOT_CONTEXT.getValue(key), undefined)
})

test('a span inside a span does not keep the outer one reachable', () => {
  let context = contextWithSpan(ROOT_CONTEXT, span(0))
  const outer = spanOf(context)
  for (let i = 1; i <= 3; i++) context = contextWithSpan(context, span(i))
  const reachable = new Set<unknown>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || reachable.has(value)) return
    reachable.add(value)
    for (const inner of value instanceof Map ? value.values() : Object.values(value)) visit(inner)
  }
  visit(context)
  assert.ok(reachable.has(spanOf(context)))
  assert.ok(!reachable.has(outer))
})

test('holds what a Map would hold, after any changes, at a bounded depth', () => {
  const keys = Array.from({ length: 12 }, (_, i) => createContextKey(`key ${i}`))
  const change = fc.record({ key: fc.nat(11), value: fc.option(fc.integer(), { nil: undefined }) })
  fc.assert(
    fc.property(fc.array(change, { minLength: 30, maxLength: 80 }), (changes) => {
      const model = new Map<symbol, unknown>()
      let context = ROOT_CONTEXT
      for (const { key, value } of changes) {
        const k = keys[key]!
        if (value === undefined) context = context.deleteValue(k)
        else context = contextWithValue(context, k, value)
        if (value === undefined) model.delete(k)
        else model.set(k, value)
      }
      for (const k of keys) assert.equal(context.getValue(k), model.get(k))
      let depth = 0
      for (let node: unknown = context; node !== undefined; node = (node as { parent?: unknown }).parent)
        depth++
      assert.ok(depth <= 8)
    }),
  )
})
