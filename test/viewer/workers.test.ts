import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { transactions } from '#dist/viewer/queries/transactions.js'
import { Store } from '#dist/viewer/store/store.js'
import { body, span, spanId } from './support.js'

let seed = 3
function below(limit: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return (seed >>> 8) % limit
}

interface Known {
  name: string
  parent: number
  isTransaction: boolean
  thread: number
}

function isCircle(spans: readonly Known[], start: number): boolean {
  let at = spans[start]!.parent
  for (let i = 0; i < spans.length && at >= 0 && at !== start; i++) at = spans[at]!.parent
  return at === start
}

/** The names of transactions by the Workers in which spans of them ran: each span leads up to its own, unless its way leads into a circle. */
function workersOf(traces: readonly Known[][]): Map<string, number> {
  const threads = new Map<string, Set<number>>()
  for (const spans of traces) {
    for (const [i, one] of spans.entries()) {
      let at = i
      while (at >= 0 && !spans[at]!.isTransaction) at = isCircle(spans, at) ? -1 : spans[at]!.parent
      const owner = spans[at]
      if (owner === undefined || !owner.isTransaction) continue
      const known = threads.get(owner.name) ?? new Set()
      if (one.thread > 0) known.add(one.thread)
      threads.set(owner.name, known)
    }
  }
  return new Map([...threads].map(([name, known]) => [name, known.size]))
}

describe('the Workers of a transaction', () => {
  it('are those in which spans below it ran, however deep, in circles, and as more arrive', () => {
    for (let round = 0; round < 60; round++) {
      const store = new Store({ maxSpans: 100_000, maxBytes: 2 ** 28 })
      const traces: Known[][] = []
      const made = Array.from({ length: 5 }, (_, trace) => {
        const count = 1 + below(30)
        const spans = Array.from({ length: count }, (_, i): Known => {
          // In every third trace a parent may be any span, itself among them.
          const parent = i === 0 || below(8) === 0 ? -1 : trace % 3 === 0 ? below(count) : below(i)
          const isTransaction = parent < 0 || below(9) === 0
          return { name: `t${below(12)}`, parent, isTransaction, thread: below(6) }
        })
        traces.push(spans)
        return spans.map((one, i) =>
          span(trace + 1, i + 1, 0, {
            parentSpanId: one.parent < 0 ? '' : spanId(one.parent + 1),
            name: one.name,
            kind: one.isTransaction ? 2 : 1,
            attributes: { 'thread.id': one.thread },
          }),
        )
      }).flat()
      // In an order of their own, and asked for halfway.
      const order = made.map((one) => ({ one, at: below(1 << 20) })).sort((a, b) => a.at - b.at)
      const half = order.length >> 1
      store.ingest(body(order.slice(0, half).map(({ one }) => one)))
      transactions(store, {})
      store.ingest(body(order.slice(half).map(({ one }) => one)))
      const found = new Map(transactions(store, {}).rows.map(({ name, threads }) => [name, threads]))
      assert.deepEqual(found, new Map([...workersOf(traces)].filter(([name]) => found.has(name))))
      assert.equal(found.size, workersOf(traces).size)
    }
  })

  it('are counted in a chain of a hundred thousand spans', () => {
    const store = new Store({ maxSpans: 200_000, maxBytes: 2 ** 28 })
    const depth = 100_000
    const chain = Array.from({ length: depth }, (_, i) =>
      span(1, i + 1, i, { name: 'step', attributes: { 'thread.id': i % 5 } }),
    )
    // Those below come first, as they do where each ends before its parent.
    store.ingest(body(chain.reverse()))
    assert.equal(transactions(store, {}).rows[0]!.threads, 4)
  })
})
