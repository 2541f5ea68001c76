import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyRows, columns, model, type Row, trace } from './support.js'

describe('sums of a trace by name', () => {
  it('give each span to one name, and no time twice in the flame graph', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const read = trace(rows)
        const self = model.selfTimes(read)
        const all = self.reduce((a, b) => a + b, 0)
        const names = model.statistics(read, self)
        const sum = (of: (row: (typeof names)[number]) => number) => names.reduce((a, row) => a + of(row), 0)
        assert.equal(
          sum(({ count }) => count),
          read.size,
        )
        assert.ok(Math.abs(sum((row) => row.self) - all) < 1e-6)
        for (const { most, longest, total, count } of names) {
          assert.equal(most, read.end[longest]! - read.start[longest]!)
          assert.ok(total <= most * count + 1e-6)
        }
        const nodes = model.flame(read, self)
        assert.ok(Math.abs(nodes[0]!.busy - all) < 1e-6)
        assert.equal(
          nodes.reduce((many, { count }) => many + count, 0),
          read.size,
        )
        for (const node of nodes) {
          const inner = node.children.reduce((sum, child) => sum + nodes[child]!.busy, 0)
          assert.ok(Math.abs(inner + node.self - node.busy) < 1e-6)
          for (const child of node.children) {
            assert.ok(nodes[child]!.left >= node.left - 1e-6)
            assert.ok(nodes[child]!.left + nodes[child]!.busy <= node.left + node.busy + 1e-6)
          }
        }
      }),
    )
  })

  it('lay siblings together that are alike, but not those with spans below them or something in between', () => {
    const loop = (from: number, many: number, name: string): Row[] =>
      Array.from({ length: many }, (_, i) => ({ name, parent: 0, start: from + i, end: from + i + 0.5 }))
    const rows: Row[] = [
      { name: 'root', start: 0, end: 100 },
      ...loop(1, 12, 'select'),
      { name: 'other', parent: 0, start: 20, end: 21 },
      ...loop(30, 9, 'select'),
      ...loop(50, 10, 'task'),
      { name: 'inner', parent: 27, start: 54.1, end: 54.2 },
    ]
    const read = model.readTrace(columns(rows))
    const { runs, leader } = model.siblings(read)
    assert.deepEqual(
      [...runs.values()].map(({ length }) => length),
      [12],
    )
    const [run] = runs.values()
    assert.deepEqual(model.sumOf(read, run!), { total: 6, failed: 0 })
    const shown = model.visibleRows(
      read.tree,
      new Uint8Array(read.size),
      (span) => leader[span]! >= 0 && leader[span] !== span,
    )
    assert.equal(shown.length, read.size - 11)
  })
})

describe('lanes that are deep', () => {
  it('are folded at first, and leave every Worker in one window however many tasks there are', () => {
    for (const tasks of [40, 400]) {
      const rows: Row[] = [{ name: 'request', start: 0, end: tasks * 3 }]
      for (let i = 0; i < tasks; i++) {
        rows.push({ name: 'run', parent: 0, start: 1, end: 3 + i * 2 })
        rows.push({
          name: 'task',
          parent: 1 + i * 2,
          start: 2 + Math.floor(i / 8) * 2,
          end: 3.5 + Math.floor(i / 8) * 2,
          thread: 8 - (i % 8),
          wait: 1,
        })
      }
      const read = model.readTrace(columns(rows, 9))
      const lanes = model.packLanes(read)
      assert.deepEqual(
        lanes.lanes.map(({ thread }) => read.threads[thread]!.id),
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
      )
      const { height, bands } = model.layOutLanes(read, lanes, model.packQueues(read), new Set())
      assert.ok(height <= 584, `${height} px`)
      assert.ok(bands.find(({ kind, index }) => kind === 'lane' && index === 0)!.folded)
      const open = model.layOutLanes(read, lanes, model.packQueues(read), new Set([0]))
      assert.ok(open.height > height)
      assert.deepEqual(model.stickyHead(open, 0), null)
      assert.deepEqual(model.stickyHead(open, 300), { index: 0, top: 300 })
    }
  })
})

describe('offsets and large numbers', () => {
  it('have one sign and a unit that people read', () => {
    assert.deepEqual([-5, 0, 12.4].map(model.offset), ['−5.00 ms', '+0', '+12.4 ms'])
    assert.deepEqual([1e12, 1.4e12, 2e15].map(model.count), ['1.00 T', '1.40 T', '2.00 × 10^15'])
    assert.equal(model.bytes(1.5e12), '1.50 TB')
  })
})
