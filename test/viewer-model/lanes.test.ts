import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyRows, model, tidyRows, trace } from './support.js'

describe('lanes', () => {
  it('hold every span of their thread once, and no two in a row overlap', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const read = trace(rows)
        const { lanes, row, ofThread } = model.packLanes(read)
        const seen: number[] = []
        for (const lane of lanes) {
          assert.equal(lanes[ofThread[lane.thread]!], lane)
          for (let r = 0; r < lane.rows; r++) {
            const spans = lane.spans.subarray(lane.first[r], lane.first[r + 1])
            assert.ok(spans.length > 0, 'no row is empty')
            let reached = Number.NEGATIVE_INFINITY
            for (const span of spans) {
              seen.push(span)
              assert.equal(read.thread[span], lane.thread)
              assert.equal(row[span], r)
              assert.ok(read.start[span]! > reached || read.start[span]! === reached)
              if (read.start[span] === reached) assert.ok(read.end[span]! >= reached)
              reached = read.end[span]!
            }
          }
        }
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          [...Array(read.size).keys()],
        )
      }),
    )
  })

  it('use no more rows than spans are open at once, where no nesting asks for more', () => {
    fc.assert(
      fc.property(anyRows, (all) => {
        const rows = all.map((row) => ({ ...row, parent: -1, end: Math.max(row.start + 1, row.end) }))
        const read = trace(rows)
        for (const lane of model.packLanes(read).lanes) {
          const mine = rows.filter(({ thread }) => thread === lane.thread)
          const open = mine.map(({ start }) => mine.filter((o) => o.start <= start && o.end > start).length)
          assert.equal(lane.rows, Math.max(...open))
        }
      }),
    )
  })

  it('put a child below its parent in the same thread', () => {
    fc.assert(
      fc.property(tidyRows, (rows) => {
        const read = trace(rows)
        const { row } = model.packLanes(read)
        for (let span = 0; span < read.size; span++) {
          const above = read.tree.up[span]!
          const nested = above >= 0 && read.thread[above] === read.thread[span]
          if (nested && above < span && read.end[above]! > read.start[span]!) {
            assert.ok(row[span]! > row[above]!)
          }
        }
      }),
    )
  })

  it('find the first span of a row in view as a walk over the row does', () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: -5, max: 90 }), (rows, time) => {
        const read = trace(rows)
        for (const { rows: height, first, spans } of model.packLanes(read).lanes) {
          for (let r = 0; r < height; r++) {
            let expected = first[r]!
            while (expected < first[r + 1]! && read.end[spans[expected]!]! <= time) expected++
            assert.equal(model.firstEndingAfter(read.end, spans, first[r]!, first[r + 1]!, time), expected)
          }
        }
      }),
    )
  })

  it('pack ten thousand spans that are open at once', () => {
    const read = trace(Array.from({ length: 10_000 }, (_, i) => ({ start: i, end: 20_000 })))
    const [lane] = model.packLanes(read).lanes
    assert.equal(lane!.rows, 10_000)
    assert.equal(lane!.open, 20_000)
  })

  it('list what must never be too small to see', () => {
    const read = trace([
      { start: 0, end: 1 },
      { start: 1, end: 2, flags: model.ERROR },
      { start: 2, end: 3, flags: model.CLOSED },
    ])
    assert.deepEqual([...model.packLanes(read).lanes[0]!.marked], [1, 2])
  })
})
