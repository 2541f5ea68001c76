import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Mark } from '#dist/viewer/store/columns.js'
import { Store } from '#dist/viewer/store/store.js'
import type { Span } from '../../src/otlp/types.js'
import { body, span, spanId, traceId } from './support.js'

const limits = { maxSpans: 1000, maxBytes: 2 ** 28 }
const names = (store: InstanceType<typeof Store>, trace: number) => {
  const found = store.trace(traceId(trace))
  return found === undefined
    ? []
    : [...store.rows(found)].map((row) => store.names.value(store.columns.name[row]!))
}

describe('the store', () => {
  it('gives back every span as it came', () => {
    const store = new Store(limits)
    const original = span(7, 1, 9, {
      name: 'näme',
      attributes: { 'thread.id': 3, a: [1, 'x'], big: 2n ** 62n },
      status: { code: 2, message: 'no' },
      traceState: 'a=b',
    })
    store.ingest(body([original]))
    const trace = store.trace(traceId(7))!
    const decoded = store.decode(store.find(trace, spanId(1)))
    assert.deepEqual({ ...decoded, attributes: { ...decoded.attributes } }, original)
  })

  it('lets the oldest traces go, whole, and counts them', () => {
    const store = new Store({ maxSpans: 10, maxBytes: 2 ** 28 })
    for (let trace = 1; trace <= 8; trace++)
      store.ingest(body([span(trace, 1, 0), span(trace, 2, 1), span(trace, 3, 1)]))
    assert.equal(store.spans, 9)
    assert.deepEqual(
      [...store.traces.values()].map(({ id }) => id),
      [6, 7, 8].map(traceId),
    )
    assert.deepEqual(store.evicted, { traces: 5, spans: 15 })
    assert.equal(store.names.size, 3)
  })

  it('keeps within the bound of bytes, holes included, and forgets names, threads and resources', () => {
    const store = new Store({ maxSpans: 1e6, maxBytes: 16 * 1024 * 1024 })
    for (let i = 1; i <= 4000; i++) {
      // Every tenth trace goes on for long, so that old buffers do not become empty by themselves.
      const long =
        i % 10 === 0
          ? [span(1_000_000 + (i % 50), 10 + i, 1, { attributes: { text: 'y'.repeat(9000) } })]
          : []
      const own = span(i, 1, 0, {
        name: `name ${i}`,
        attributes: { 'thread.id': i, text: 'x'.repeat(20_000) },
      })
      store.ingest(body([own, ...long], { 'service.name': `service ${i}`, 'process.pid': i }))
      assert.ok(store.bytes <= 16 * 1024 * 1024)
      assert.ok(store.allocated <= 40 * 1024 * 1024, `${store.allocated} allocated`)
    }
    assert.ok(store.evicted.spans > 3000)
    assert.ok(store.names.size <= store.spans)
    assert.ok(store.lanes.lanes.size <= store.spans)
    assert.ok(store.lanes.origins.size <= store.spans)
    for (const trace of store.traces.values()) {
      for (const row of store.rows(trace)) assert.equal(store.decode(row).traceId, trace.id)
    }
  })

  it('refuses what one trace has beyond the bound, rather than nothing or everything', () => {
    const store = new Store({ maxSpans: 5, maxBytes: 2 ** 28 })
    const { kept, refused } = store.ingest(body([1, 2, 3, 4, 5, 6, 7].map((id) => span(1, id, 0))))
    assert.deepEqual([kept, refused.full, store.spans], [5, 2, 5])
  })

  it('keeps the first of duplicates', () => {
    const store = new Store(limits)
    const { kept, refused } = store.ingest(
      body([span(1, 1, 0, { name: 'first' }), span(1, 1, 0, { name: 'second' }), span(2, 1, 0)]),
    )
    assert.deepEqual([kept, refused.duplicate], [2, 1])
    assert.deepEqual(names(store, 1), ['first'])
  })

  it('sees orphans, and sees them end when the parent comes late', () => {
    const store = new Store(limits)
    store.ingest(body([span(1, 3, 2), span(1, 4, 3)]))
    let trace = store.trace(traceId(1))!
    assert.equal(trace.orphans, 1)
    assert.equal(trace.transactions.length, 0)
    store.ingest(body([span(1, 2, 1), span(1, 1, 0)]))
    trace = store.trace(traceId(1))!
    assert.equal(trace.orphans, 0)
    assert.equal(store.columns.spanId(trace.root), spanId(1))
    assert.equal(trace.transactions.length, 1)
  })

  it('finds exactly the members of cycles, and stops', () => {
    const store = new Store(limits)
    // 1 -> 2 -> 3 -> 1, 4 hangs on 3, 5 is its own parent, 6 is a root.
    store.ingest(
      body([span(1, 1, 2), span(1, 2, 3), span(1, 3, 1), span(1, 4, 3), span(1, 5, 5), span(1, 6, 0)]),
    )
    const trace = store.trace(traceId(1))!
    const cyclic = [...store.rows(trace)].filter((row) => (store.columns.marks[row]! & Mark.cycle) !== 0)
    assert.deepEqual(cyclic.map((row) => store.columns.spanId(row)).sort(), [1, 2, 3, 5].map(spanId))
    assert.equal(store.columns.spanId(trace.root), spanId(6))
  })

  it('starts a transaction at roots, remote parents, other processes, servers and consumers, and nowhere else', () => {
    const store = new Store(limits)
    const main = { 'service.name': 'web', 'process.pid': 1, 'service.instance.id': 'a' }
    const child = { 'service.name': 'web', 'process.pid': 2, 'service.instance.id': 'b' }
    store.ingest(
      body(
        [
          span(1, 1, 0),
          span(1, 2, 1, { attributes: { 'thread.id': 4 } }),
          span(1, 3, 2, { kind: 3 }),
          span(1, 4, 99, { flags: 0x301 }),
          span(1, 5, 1, { kind: 2 }),
          span(1, 6, 1, { kind: 5 }),
          span(1, 7, 98),
          // Another resource of the same process, as a second exporter of it would send.
        ],
        main,
      ),
    )
    store.ingest(body([span(1, 8, 2)], { ...main, 'telemetry.sdk.name': 'other' }))
    store.ingest(body([span(1, 9, 2), span(1, 10, 9)], child))
    const trace = store.trace(traceId(1))!
    const found = trace.transactions.map((row) => store.columns.spanId(row)).sort()
    assert.deepEqual(found, [1, 4, 5, 6, 9].map(spanId))
    assert.equal(trace.processes, 2)
  })

  it('keeps nothing that it cannot decode later, whatever the bytes', () => {
    const whole = body([
      span(1, 1, 0, { attributes: { 'thread.id': 1, list: ['a', [1, { b: true }]] }, links: [] }),
      span(1, 2, 1, {
        events: [{ timeUnixNano: 1n, name: 'exception', attributes: { a: 1 }, droppedAttributesCount: 0 }],
      }),
    ])
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(changes, (edits) => {
        const bytes = Uint8Array.from(whole)
        for (const [at, value] of edits) bytes[at] = value
        const store = new Store(limits)
        try {
          store.ingest(bytes)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'THREADSPAN_OTLP_MALFORMED')
          assert.equal(store.spans, 0)
          assert.equal(store.lanes.origins.size + store.lanes.scopes.size, 0)
        }
        store.settle()
        for (const trace of store.traces.values()) for (const row of store.rows(trace)) store.decode(row)
      }),
      { numRuns: 3000 },
    )
  })

  it('settles to the same whatever the order of arrival', () => {
    const tree = fc.array(fc.nat(12), { minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(tree, fc.infiniteStream(fc.nat(1000)), (parents, keys) => {
        const spans = parents.map((parent, i) => span(1, i + 1, parent, { at: i, lasts: 20 - i }))
        const shuffled = spans
          .map((one): [number, Span] => [keys.next().value!, one])
          .sort((a, b) => a[0] - b[0])
          .map(([, one]) => one)
        const outcome = (all: Span[], atOnce: boolean) => {
          const store = new Store(limits)
          if (atOnce) store.ingest(body(all))
          else
            for (const one of all) {
              store.ingest(body([one]))
              store.settle()
            }
          const trace = store.trace(traceId(1))!
          const marks = [...store.rows(trace)].map((row): [string, number] => [
            store.columns.spanId(row),
            store.columns.marks[row]!,
          ])
          return {
            marks: marks.sort(),
            orphans: trace.orphans,
            duration: trace.duration,
            root: store.columns.spanId(trace.root),
          }
        }
        assert.deepEqual(outcome(shuffled, false), outcome(spans, true))
      }),
      { numRuns: 200 },
    )
  })
})
