import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeRequest } from '#dist/export/request.js'
import { backoff, delayOf } from '#dist/export/retry.js'
import { split } from '#dist/export/split.js'
import { decodeTraces } from '#dist/otlp/decode.js'
import { encodeResource, encodeScope, putVarint, varintSize } from '#dist/otlp/encode.js'
import type { Batch } from '../../src/export/exporter.js'
import { batch, spanField, spanNames } from './support.js'

describe('encode', () => {
  it('writes varints of every length', () => {
    for (const value of [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, 2 ** 42, Number.MAX_SAFE_INTEGER]) {
      const bytes = Buffer.alloc(12)
      const end = putVarint(bytes, 1, value)
      assert.equal(end - 1, varintSize(value))
      let read = 0n
      for (let i = end - 1; i >= 1; i--) read = (read << 7n) | BigInt(bytes[i]! & 0x7f)
      assert.equal(read, BigInt(value))
    }
  })

  it('keeps attributes of every type', () => {
    const attributes = {
      text: 'grün \u{1f600}',
      empty: '',
      yes: true,
      no: false,
      zero: 0,
      negative: -5,
      large: Number.MAX_SAFE_INTEGER,
      half: 0.5,
      huge: 1e300,
      big: -(2n ** 63n),
      bytes: Uint8Array.of(1, 2, 3),
      list: [1, 'two', [true]],
      map: { a: 1, b: { c: 'd' } },
      none: null,
    }
    const one: Batch = {
      resource: encodeResource({ ...attributes, left: undefined }),
      scopes: [
        { scope: encodeScope('s', '', attributes), schemaUrl: '', chunks: [spanField('x', 1)], count: 1 },
      ],
      count: 1,
      bytes: 0,
    }
    const { resource, scopeSpans } = decodeTraces(encodeRequest([one])).resourceSpans[0]!
    assert.deepEqual(normal(resource.attributes), normal(attributes))
    assert.deepEqual(normal(scopeSpans[0]!.scope.attributes), normal(attributes))
  })

  it('bounds what has no bounds', () => {
    const round: { self?: unknown } = {}
    round.self = round
    assert.ok(encodeResource({ round: round as never, wide: 2n ** 70n, lone: '\ud800' }).length < 5000)
  })
})

/** Without null prototypes and Buffer's own class. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, normal(part)]))
}

describe('encodeRequest', () => {
  it('frames batches, scopes and schema URLs', () => {
    const { resourceSpans } = decodeTraces(encodeRequest([batch(7), batch(0), batch(2, 300, 8)]))
    assert.equal(resourceSpans.length, 2)
    const [first, second] = resourceSpans
    assert.equal(first!.resource.attributes['service.name'], 'checkout')
    assert.equal(first!.scopeSpans[0]!.scope.version, '1.2.3')
    assert.equal(first!.scopeSpans[0]!.schemaUrl, 'https://example.com/schema')
    assert.deepEqual(
      first!.scopeSpans[0]!.spans.map(({ spanId }) => Number(spanId)),
      [1, 2, 3, 4, 5, 6, 7],
    )
    assert.equal(second!.scopeSpans[0]!.spans[1]!.traceState.length, 300)
    assert.equal(encodeRequest([]).length, 0)
  })
})

describe('split', () => {
  it('keeps every span, in order and within the size', () => {
    const batches = [batch(10, 50), batch(1, 3000, 11), batch(14, 5, 12)]
    for (const size of [1, 100, 300, 1000, 2000, 1e9]) {
      const pieces = split(batches, size)
      const names = pieces.flatMap((piece) => spanNames(encodeRequest(piece.batches)))
      assert.deepEqual(
        names,
        Array.from({ length: 25 }, (_, i) => `span ${i + 1}`),
      )
      for (const { batches, count, bytes } of pieces) {
        assert.ok(bytes <= size || count === 1, `${bytes} bytes, ${count} spans`)
        assert.equal(count, spanNames(encodeRequest(batches)).length)
        assert.equal(
          bytes,
          batches.reduce((sum, { bytes }) => sum + bytes, 0),
        )
      }
    }
    assert.equal(split(batches, 1e9).length, 1)
    assert.equal(split(batches, 1).length, 25)
  })
})

describe('retry', () => {
  it('doubles up to five seconds, of which half is random', () => {
    const bounds = (attempt: number) => [backoff(attempt, () => 0), backoff(attempt, () => 1)]
    assert.deepEqual(bounds(0), [100, 200])
    assert.deepEqual(bounds(3), [800, 1600])
    assert.deepEqual(bounds(10), [2500, 5000])
    assert.deepEqual(bounds(10_000), [2500, 5000])
  })

  it('reads Retry-After in seconds and as a date', () => {
    const now = Date.parse('2026-01-02T03:04:05Z')
    assert.equal(delayOf('7', now), 7000)
    assert.equal(delayOf(' 7 ', now), 7000)
    assert.equal(delayOf('Fri, 02 Jan 2026 03:04:35 GMT', now), 30_000)
    for (const none of [undefined, '', '0', '-5', 'soon', 'Fri, 02 Jan 2026 03:04:00 GMT']) {
      assert.equal(delayOf(none, now), undefined)
    }
  })
})
