import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyRows, model, trace } from './support.js'

describe('queues', () => {
  it('hold every span that waited once, in the process that ran it, and no two waits in a row overlap', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const read = trace(rows)
        const { queues, submit } = model.packQueues(read)
        const seen: number[] = []
        for (const { process, rows: height, first, spans } of queues) {
          for (let row = 0; row < height; row++) {
            let reached = Number.NEGATIVE_INFINITY
            for (const span of spans.subarray(first[row], first[row + 1])) {
              seen.push(span)
              assert.equal(read.threads[read.thread[span]!]!.process, process)
              assert.equal(submit[span], read.start[span]! - read.wait[span]!)
              assert.ok(submit[span]! >= reached)
              reached = read.start[span]!
            }
          }
        }
        const waited = [...read.wait.keys()].filter((span) => read.wait[span]! > 0)
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          waited,
        )
      }),
    )
  })

  it('are as deep as tasks wait at once', () => {
    const read = trace([3, 6, 9].map((wait) => ({ start: 1 + wait, end: 20, wait })))
    assert.equal(model.packQueues(read).queues[0]!.rows, 3)
  })
})

describe('the layout of the lanes', () => {
  it('stacks bands without gaps: head, queue, lanes; and finds the band and the span at a point', () => {
    fc.assert(
      fc.property(anyRows, fc.array(fc.integer({ min: -1, max: 2 })), (rows, folded) => {
        const read = trace(rows)
        const lanes = model.packLanes(read)
        const queues = model.packQueues(read)
        const layout = model.layOutLanes(read, lanes, queues, new Set(folded))
        let top = 0
        layout.bands.forEach((band, i) => {
          assert.equal(band.top, top)
          assert.ok(band.height > 0)
          assert.equal(model.bandAt(layout, top), i)
          assert.equal(model.bandAt(layout, top + band.height - 1), i)
          top += band.height
        })
        assert.equal(layout.height, top)
        const kinds = layout.bands.map(({ kind }) => kind)
        assert.equal(kinds.filter((kind) => kind === 'lane').length, lanes.lanes.length)
        assert.equal(kinds.filter((kind) => kind === 'queue').length, queues.queues.length)
        lanes.lanes.forEach((lane, index) => {
          assert.equal(layout.bands[layout.ofLane[index]!]!.index, index)
          for (const span of lane.spans) {
            const row = lanes.row[span]!
            const found = model.spanAt(
              read,
              lane.spans,
              lane.first[row]!,
              lane.first[row + 1]!,
              (read.start[span]! + read.end[span]!) / 2,
              0,
            )
            assert.ok(
              found === span || read.end[found] === read.start[span] || read.end[span] === read.start[span],
            )
          }
        })
      }),
    )
  })

  it('folds deep queues at first, and the reader unfolds them', () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ start: 50 + i, end: 100, wait: 40 }))
    const read = trace(rows)
    const lay = (folded: number[]) =>
      model
        .layOutLanes(read, model.packLanes(read), model.packQueues(read), new Set(folded))
        .bands.find(({ kind }) => kind === 'queue')!
    assert.equal(lay([]).folded, true)
    assert.equal(lay([model.queueKey(0)]).folded, false)
    assert.ok(lay([]).height < lay([model.queueKey(0)]).height)
  })
})
