import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyRows, model, tidyRows, trace } from './support.js'

/** Times in these tests are whole, and so every interval is a set of unit cells that can be counted. */
const cells = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)

describe('self time', () => {
  it('is the duration minus the union of the children, and never negative', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const read = trace(rows)
        const self = model.selfTimes(read)
        for (let span = 0; span < read.size; span++) {
          const own = new Set(cells(read.start[span]!, read.end[span]!))
          for (const child of read.tree.children.subarray(read.tree.first[span], read.tree.first[span + 1])) {
            for (const cell of cells(read.start[child]!, read.end[child]!)) own.delete(cell)
          }
          assert.equal(self[span], own.size)
        }
      }),
    )
  })

  it('counts parallel children once, and one that outlives its parent up to the end of the parent', () => {
    const read = trace([
      { start: 0, end: 100 },
      { start: 10, end: 60, parent: 0, thread: 1 },
      { start: 20, end: 70, parent: 0, thread: 2 },
      { start: 90, end: 300, parent: 0 },
    ])
    assert.deepEqual([...model.selfTimes(read)], [30, 50, 50, 210])
  })
})

describe('activity and concurrency', () => {
  it('agree with counting by cells: pieces of a span lie in it and never where a child runs or waits', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const read = trace(rows)
        const { tree, start, end, wait } = read
        const pieces = model.activity(read)
        const counted = new Map<number, number>()
        let expected = 0
        for (let span = 0; span < read.size; span++) {
          const own = new Set(cells(start[span]!, end[span]!))
          for (const child of tree.children.subarray(tree.first[span], tree.first[span + 1])) {
            for (const cell of cells(start[child]! - wait[child]!, end[child]!)) own.delete(cell)
          }
          expected += own.size
          for (const cell of own) counted.set(cell, (counted.get(cell) ?? 0) + 1)
        }
        let total = 0
        for (let i = 0; i < pieces.count; i++) total += pieces.end[i]! - pieces.start[i]!
        assert.equal(total, expected)

        const steps = model.concurrency(pieces)
        assert.equal(steps.peak, Math.max(0, ...counted.values()))
        if (pieces.count > 0) assert.equal(steps.level.at(-1), 0)
        for (const cell of cells(-15, 90)) {
          const at = model.firstAfter(steps.time, cell) - 1
          assert.equal(at < 0 ? 0 : steps.level[at], counted.get(cell) ?? 0, `at ${cell}`)
        }
      }),
    )
  })

  it('gives the strip the highest level within each pixel', () => {
    fc.assert(
      fc.property(
        anyRows,
        fc.integer({ min: -10, max: 60 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (rows, from, columns, width) => {
          const steps = model.concurrency(model.activity(trace(rows)))
          const strip = model.peaks(steps, from, from + columns * width, columns)
          for (let column = 0; column < columns; column++) {
            const levels = cells(from + column * width, from + (column + 1) * width).map((cell) => {
              const at = model.firstAfter(steps.time, cell) - 1
              return at < 0 ? 0 : steps.level[at]!
            })
            assert.equal(strip[column], Math.max(0, ...levels))
          }
        },
      ),
    )
  })

  it('has no place for a window of no width', () => {
    assert.deepEqual([...model.peaks(model.concurrency(model.activity(trace([]))), 5, 5, 3)], [0, 0, 0])
  })
})

describe('the critical path', () => {
  it('fills the root exactly once, and every piece lies in its span', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const read = trace(rows)
        const root = model.mainRoot(read)
        const path = model.criticalPath(read, root)
        let reached = root < 0 ? 0 : read.start[root]!
        for (let i = 0; i < path.count; i++) {
          assert.equal(path.start[i], reached)
          reached = path.end[i]!
          assert.ok(path.start[i]! >= read.start[path.span[i]!]!)
          assert.ok(path.end[i]! <= read.end[path.span[i]!]!)
        }
        assert.equal(reached, root < 0 ? 0 : read.end[root]!)
        const summed = path.time.reduce((sum, time) => sum + time, 0)
        assert.equal(summed, root < 0 ? 0 : read.end[root]! - read.start[root]!)
      }),
    )
  })

  it('goes through what was waited for last', () => {
    const read = trace([
      { name: 'root', start: 0, end: 100 },
      { name: 'short', start: 10, end: 40, parent: 0, thread: 1 },
      { name: 'long', start: 10, end: 80, parent: 0, thread: 2 },
      { name: 'inner', start: 30, end: 75, parent: 2, thread: 2 },
      { name: 'log', start: 90, end: 400, parent: 0 },
    ])
    const path = model.criticalPath(read, 0)
    const pieces = [...path.span].map((span, i) => [model.nameOf(read, span), path.start[i], path.end[i]])
    assert.deepEqual(pieces, [
      ['root', 0, 10],
      ['long', 10, 30],
      ['inner', 30, 75],
      ['long', 75, 80],
      ['root', 80, 100],
    ])
  })

  it('takes a child that ends late by less than a clock tick as awaited', () => {
    const read = trace([
      { start: 0, end: 10 },
      { start: 1, end: 10.4, parent: 0 },
    ])
    assert.equal(model.criticalPath(read, 0).time[1], 9)
  })
})

describe('the summary of parallelism', () => {
  it('says what running in parallel gave', () => {
    const read = trace([
      { name: 'request', start: 0, end: 100 },
      { name: 'task', start: 10, end: 60, parent: 0, thread: 1 },
      { name: 'task', start: 40, end: 90, parent: 0, thread: 2, wait: 30 },
    ])
    const sum = model.parallelism(read, model.activity(read))
    assert.equal(sum.wall, 100)
    assert.equal(sum.busy, 120)
    assert.equal(sum.speedup, 1.2)
    assert.deepEqual(
      sum.threads.map(({ thread, busy }) => [thread, busy]),
      [
        [0, 20],
        [1, 50],
        [2, 50],
      ],
    )
    assert.deepEqual(sum.idle, [])
    assert.equal(sum.waited, 30)
    assert.deepEqual(sum.waits, [2])
  })

  it('names idle threads and the five longest waits, longest first', () => {
    const tasks = [4, 9, 1, 7, 3, 8, 2].map((wait, i) => ({
      start: 20 + i,
      end: 21 + i,
      parent: 0,
      thread: 1,
      wait,
    }))
    const read = trace([{ start: 0, end: 100 }, ...tasks])
    const sum = model.parallelism(read, model.activity(read))
    assert.deepEqual(
      sum.waits.map((span) => read.wait[span]),
      [9, 8, 7, 4, 3],
    )
    assert.deepEqual(sum.idle, [1])
  })

  it('never has a thread busier than the wall time, nor a speed-up below that of its threads', () => {
    fc.assert(
      fc.property(fc.oneof(anyRows, tidyRows), (rows) => {
        const read = trace(rows)
        const sum = model.parallelism(read, model.activity(read))
        for (const { busy, share } of sum.threads) {
          assert.ok(busy <= sum.wall)
          assert.ok(share >= 0 && share <= 1)
          assert.ok(busy <= sum.busy)
        }
        assert.ok(Number.isFinite(sum.speedup))
      }),
    )
  })
})
