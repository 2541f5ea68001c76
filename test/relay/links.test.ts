import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Links } from '#dist/collector/links.js'
import { CellLink } from '#dist/link/cells.js'
import { LinkWriter } from '#dist/link/writer.js'

import { closedSpan } from '#dist/ring/closed-span.js'
import type { CellSource } from '../../src/metrics/cells.js'

const folder = mkdtempSync(join(tmpdir(), 'threadspan test links '))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Beyond what any system numbers its processes with: these are gone. */
const FIRST = 2 ** 30 + 1
const start = Buffer.from(
  '0a9080000af7651916cd43dd8448eb211c80319c12888000b7ad6b7169203331308100390102030405060708' +
    '50008501010100002a026162',
  'hex',
)

/** The file of a process with that number, in which a span is open. */
function write(pid: number, ended: [number, string][] = []): void {
  const writer = new LinkWriter(folder, '0-0', Buffer.from([pid - FIRST]))
  writer.scope(0, Buffer.from('a'), '')
  writer.opened({ scope: 0, start })
  for (const [child, reason] of ended) writer.childEnded(child, reason, 5n)
  writer.flush()
  writer.close()
  renameSync(writer.path, join(folder, `${pid}-0-0.link`))
}

it('believes what one process tells of the end of another, in whichever file it is read first', () => {
  write(FIRST)
  write(FIRST + 1, [
    [FIRST, 'told of the first'],
    [FIRST + 3, 'told of the last'],
  ])
  write(FIRST + 2)
  write(FIRST + 3, [[FIRST + 2, 'told of the third']])
  const reasons: Record<number, string> = {}
  const links = new Links(folder, {
    lost: () => assert.fail('nothing is lost'),
    process: (resource) => ({
      scope() {},
      spans(_scope, bytes) {
        const text = Buffer.from(bytes).toString('latin1')
        // Behind the text follows the tag of the status, a z.
        reasons[resource[0]!] = /(told of the [a-z]+|process is gone)z/.exec(text)![1]!
      },
      end() {},
    }),
  })
  links.read(true)
  assert.deepEqual(reasons, {
    0: 'told of the first',
    1: 'process is gone',
    2: 'told of the third',
    3: 'told of the last',
  })
})

describe('the files of a process that runs', () => {
  /** A folder of this process's files, and what is read of them. */
  function reading() {
    const own = mkdtempSync(join(folder, 'running-'))
    const settle: (() => void)[] = []
    const spans: Buffer[] = []
    const links = new Links(own, {
      lost: () => assert.fail('nothing is lost'),
      process: () => ({
        scope() {},
        spans(_scope, bytes, _count, settled) {
          spans.push(Buffer.from(bytes))
          settle.push(settled!)
        },
        end() {},
      }),
    })
    const writer = new LinkWriter(own, '1-0', Buffer.from([1]))
    writer.scope(0, Buffer.from('a'), '')
    return {
      links,
      writer,
      spans,
      files: () =>
        readdirSync(own)
          .sort()
          .map((file) => file.slice(file.indexOf('-') + 1)),
      look() {
        links.read()
        links.acknowledge()
      },
      deliver() {
        for (const settled of settle.splice(0)) settled()
        links.acknowledge()
      },
    }
  }
  const span = closedSpan(start, 1n, 'over')

  it('are removed when their writer is done with them and all is delivered', () => {
    const { writer, files, look, deliver, spans } = reading()
    writer.spans(0, span, 1)
    writer.flush()
    look()
    deliver()
    assert.deepEqual(files(), ['1-0.link'], 'there may come more')
    writer.spans(0, span, 1)
    writer.finish()
    look()
    assert.deepEqual(files(), ['1-0.link'], 'one span is on its way')
    deliver()
    assert.deepEqual(files(), [])
    assert.equal(spans.length, 2)
  })

  it('take few descriptors, however many come at once', (t) => {
    if (process.platform !== 'linux') {
      t.diagnostic('the system does not tell how many there are')
      return
    }
    const own = mkdtempSync(join(folder, 'many-'))
    for (let i = 0; i < 50; i++) {
      const writer = new LinkWriter(own, `${i}-0`, Buffer.from([1]))
      writer.scope(0, Buffer.from('a'), '')
      writer.spans(0, span, 1)
      writer.flush()
      writer.close()
    }
    const descriptors = () => readdirSync('/proc/self/fd').length
    const before = descriptors()
    const seen: number[] = []
    const links = new Links(own, {
      lost: () => assert.fail('nothing is lost'),
      process: () => ({ scope() {}, spans: () => seen.push(descriptors() - before), end() {} }),
    })
    links.read()
    assert.equal(seen.length, 50)
    assert.ok(Math.max(...seen, descriptors() - before) < 10, String(seen))
  })

  it('stay until what is open in them is told of by the next one', () => {
    const { writer, files, look, deliver, links, spans } = reading()
    writer.opened({ scope: 0, start })
    writer.flush()
    const next = writer.next()
    writer.finish()
    look()
    deliver()
    assert.deepEqual(files(), ['1-0.link', '1-0_000001.link'], 'the next one is still empty')
    next.scope(0, Buffer.from('a'), '')
    next.opened({ scope: 0, start })
    next.flush()
    look()
    deliver()
    look()
    assert.deepEqual(files(), ['1-0_000001.link'])
    const third = next.next()
    assert.match(third.path, /1-0_000002\.link$/)
    assert.equal(spans.length, 0)
    links.childEnded(process.pid, 'told', 5n)
    look()
    assert.equal(spans.length, 1)
    assert.match(spans[0]!.toString('latin1'), /told/)
  })

  it('are read in their order, however much there is in each', () => {
    const { writer, look, links, spans } = reading()
    // More than one look takes; the span opens at its end, and has ended in the next file.
    for (let i = 0; i < 9; i++) writer.record(0x0b, Buffer.alloc(1 << 20))
    writer.opened({ scope: 0, start })
    const next = writer.next()
    next.scope(0, Buffer.from('a'), '')
    next.spans(0, span, 1)
    writer.finish()
    next.flush()
    for (let i = 0; i < 4; i++) look()
    links.childEnded(process.pid, 'told', 5n)
    look()
    assert.equal(spans.length, 1, 'it is not closed once more')
  })

  it('that were left are removed as well, and what was open in them ends elsewhere', () => {
    const { writer, files, look, deliver, links, spans } = reading()
    writer.opened({ scope: 0, start })
    writer.spans(0, closedSpan(otherStart(), 1n, 'over'), 1)
    writer.flush()
    look()
    writer.abandon()
    look()
    deliver()
    assert.deepEqual(files(), [])
    links.childEnded(process.pid, 'told', 5n)
    look()
    assert.equal(spans.length, 1)
  })

  it('begin with all that was measured, of threads that are gone as well', () => {
    const own = mkdtempSync(join(folder, 'measured-'))
    const link = new CellLink()
    const cells = [new Float64Array([1]), new Float64Array([2])]
    for (const [thread, live] of cells.entries()) {
      let isTold = false
      link.add(thread, {
        round: undefined,
        read(target) {
          if (isTold) return
          isTold = true
          target.instrument(7, Buffer.from('what it is'))
          target.series(7, Buffer.from([0x0a, 1, thread]), live)
        },
      })
    }
    const first = new LinkWriter(own, 'measures', Buffer.from([1]))
    link.write(first)
    cells[0]![0] = 10
    link.write(first)
    link.remove(0)
    cells[1]![0] = 20
    link.write(first)
    const second = first.next()
    link.writeAll(second)
    second.flush()
    cells[1]![0] = 21
    assert.ok(link.write(second))
    second.flush()
    first.remove()
    const links = new Links(own, {
      lost: () => assert.fail('nothing is lost'),
      process: () => ({ scope() {}, spans() {}, end() {} }),
      measures: () => ({
        add: (source) => {
          sources.push(source)
          return { end() {} }
        },
      }),
    })
    const sources: CellSource[] = []
    links.read()
    const told: unknown[] = []
    sources[0]!.read({
      instrument: (_number, descriptor) => told.push(Buffer.from(descriptor).toString()),
      series: (_instrument, attributes, values) => told.push([attributes[2], values[0]]),
    })
    assert.deepEqual(told, ['what it is', [0, 10], 'what it is', [1, 21]])
  })
})

/** The start of another span. */
function otherStart(): Buffer {
  const other = Buffer.from(start)
  const at = other.indexOf(Buffer.from('b7ad6b7169203331', 'hex'))
  other[at] = 1
  return other
}
