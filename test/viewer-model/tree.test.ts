import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyRows, columns, model, trace } from './support.js'

describe('the tree over the spans of a trace', () => {
  it('holds every span exactly once, parents before children, whatever the parents say', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const { tree, size } = trace(rows)
        assert.equal(size, rows.length)
        assert.deepEqual(
          [...tree.preorder].sort((a, b) => a - b),
          [...Array(size).keys()],
        )
        for (let span = 0; span < size; span++) {
          assert.equal(tree.preorder[tree.position[span]!], span)
          const above = tree.up[span]!
          if (above < 0) {
            assert.equal(tree.depth[span], 0)
            assert.ok(tree.roots.includes(span))
            continue
          }
          assert.ok(tree.position[above]! < tree.position[span]!)
          assert.ok(tree.position[span]! <= tree.position[above]! + tree.below[above]!)
          assert.equal(tree.depth[span], tree.depth[above]! + 1)
          assert.ok(tree.children.subarray(tree.first[above], tree.first[above + 1]).includes(span))
        }
      }),
    )
  })

  it('marks exactly the members of cycles, and cuts each cycle once, at its earliest span', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const { tree, flags, ids } = trace(rows)
        const bySpan = ids.map((id) => Number.parseInt(id, 16))
        const place = new Map(bySpan.map((row, span) => [row, span]))
        const parentOf = (span: number) => place.get(rows[bySpan[span]!]!.parent!) ?? -1
        for (let span = 0; span < rows.length; span++) {
          let at = parentOf(span)
          for (let step = 0; at >= 0 && at !== span && step < rows.length; step++) at = parentOf(at)
          assert.equal((flags[span]! & model.CYCLE) !== 0, at === span, `span ${span}`)
        }
        const cutOff = [...tree.roots].filter((root) => parentOf(root) >= 0)
        for (const root of cutOff) {
          assert.ok(flags[root]! & model.CYCLE)
          for (let at = parentOf(root); at !== root; at = parentOf(at)) assert.ok(at > root)
        }
      }),
    )
  })

  it('keeps orphans as marked roots, also when the parent index is out of range', () => {
    const { tree, flags } = trace([
      { start: 0, end: 9 },
      { start: 1, end: 2, parent: -2 },
      { start: 2, end: 3, parent: 99 },
    ])
    assert.deepEqual([...tree.roots], [0, 1, 2])
    assert.deepEqual([...flags], [0, model.ORPHAN, model.ORPHAN])
  })

  it('sorts what arrives unsorted, links and parents included', () => {
    const read = model.readTrace({
      ...columns([
        { name: 'child', start: 5, end: 6, parent: 1 },
        { name: 'root', start: 0, end: 9 },
      ]),
      links: [
        [1, 0],
        [0, 7],
      ],
    })
    assert.deepEqual(
      [0, 1].map((span) => model.nameOf(read, span)),
      ['root', 'child'],
    )
    assert.deepEqual([...read.tree.up], [-1, 0])
    assert.deepEqual(read.links, [[0, 1]])
  })

  it('takes a chain as deep as it has spans', () => {
    const rows = Array.from({ length: 100_000 }, (_, i) => ({ start: i, end: 200_000 - i, parent: i - 1 }))
    const { tree } = trace(rows)
    assert.equal(tree.depth[99_999], 99_999)
    assert.equal(tree.below[0], 99_999)
  })

  it('hides exactly the descendants of what is folded', () => {
    fc.assert(
      fc.property(anyRows, fc.array(fc.boolean(), { maxLength: 40 }), (rows, picks) => {
        const { tree, size } = trace(rows)
        const folded = Uint8Array.from({ length: size }, (_, i) => (picks[i] ? 1 : 0))
        const hidden = (span: number): boolean => {
          for (let at = tree.up[span]!; at >= 0; at = tree.up[at]!) if (folded[at]) return true
          return false
        }
        assert.deepEqual(
          [...model.visibleRows(tree, folded)],
          [...tree.preorder].filter((span) => !hidden(span)),
        )
      }),
    )
  })

  it('reads an empty trace', () => {
    const empty = trace([])
    assert.equal(empty.size, 0)
    assert.deepEqual([empty.from, empty.to], [0, 0])
    assert.equal(model.mainRoot(empty), -1)
  })
})
