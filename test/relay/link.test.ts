import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { identityOf, isAlive } from '#dist/link/liveness.js'
import * as owners from '#dist/link/owner.js'
import { LinkReader } from '#dist/link/reader.js'
import { LinkWriter } from '#dist/link/writer.js'
import { closedSpan } from '#dist/ring/closed-span.js'

const folder = mkdtempSync(join(tmpdir(), 'threadspan test link '))
after(() => rmSync(folder, { recursive: true, force: true }))

/** The encoded start of a span with this id, as the recorder lays it out. */
function startOf(id: number): Buffer {
  const hex = id.toString(16).padStart(16, '0')
  const parts = ['0a908000', '0af7651916cd43dd8448eb211c80319c', '12888000', hex, '308100390102030405060708']
  return Buffer.from(`${parts.join('')}50008501010100002a026162`, 'hex')
}
const spanOf = (id: number): Buffer => closedSpan(startOf(id), 1n, 'test')

type Reader = InstanceType<typeof LinkReader>
const noEvents = { childEnded() {}, lost() {} }

/** Reads a file, and keeps what it hands on, with the receipts. */
function open(path: string) {
  const handed: { count: number; settled: () => void }[] = []
  const opens: import('../../src/link/reader.js').OpenSpans = new Map()
  const target = {
    scope() {},
    spans(_scope: number, _bytes: Uint8Array, count: number, settled?: () => void) {
      handed.push({ count, settled: settled! })
    },
  }
  const reader: Reader = new LinkReader(path, { introduced: () => target, ...noEvents }, opens)
  reader.read(true)
  return { reader, handed, opens }
}

let files = 0
function writer() {
  const made = new LinkWriter(folder, `test${files++}`, Buffer.from([1]))
  made.scope(0, Buffer.from('a'), '')
  made.scope(1, Buffer.from('b'), '')
  return made
}

describe('a link', () => {
  it('hands on what was appended, whole records only', () => {
    const link = writer()
    link.spans(0, spanOf(1), 1)
    link.flush()
    const { reader, handed } = open(link.path)
    assert.equal(reader.spans, 1)
    const half = spanOf(2)
    writeFileSync(link.path, half.subarray(0, 50), { flag: 'a' })
    reader.read(true)
    assert.equal(reader.spans, 1)
    writeFileSync(link.path, half.subarray(50), { flag: 'a' })
    reader.read(true)
    assert.equal(reader.spans, 2)
    assert.equal(handed.length, 2)
  })

  it('is read on from where everything before was delivered, by whoever reads it next', () => {
    const link = writer()
    for (let id = 1; id <= 4; id++) link.spans(id % 2, spanOf(id), 1)
    link.flush()
    const first = open(link.path)
    assert.equal(first.reader.spans, 4)
    // The third is delivered before the second: only what lies before the second is done with.
    first.handed[0]!.settled()
    first.handed[2]!.settled()
    first.reader.acknowledge()
    assert.equal(open(link.path).reader.spans, 3)
    first.handed[1]!.settled()
    first.reader.acknowledge()
    assert.equal(open(link.path).reader.spans, 1)
    first.handed[3]!.settled()
    assert.ok(first.reader.isSettled)
    first.reader.acknowledge()
    assert.equal(open(link.path).reader.spans, 0)
  })

  it('knows what is open, in whichever file of the process it ends', () => {
    const one = writer()
    one.opened({ scope: 0, start: startOf(1) })
    one.opened({ scope: 0, start: startOf(2) })
    one.spans(0, spanOf(1), 1)
    one.flush()
    const { opens } = open(one.path)
    assert.deepEqual([...opens.keys()], ['0000000000000002'])
    const two = writer()
    two.spans(0, spanOf(2), 1)
    two.flush()
    const target = { scope() {}, spans() {} }
    new LinkReader(two.path, { introduced: () => target, ...noEvents }, opens).read(true)
    assert.equal(opens.size, 0)
  })

  it('says which spans of a failed write are not in the file', () => {
    const link = writer()
    link.flush()
    link.spans(0, Buffer.concat([spanOf(1), spanOf(2), spanOf(3)]), 3)
    link.spans(1, spanOf(4), 1)
    // As after a write that ended in the midst of the second span.
    Object.assign(link, { done: 4 + spanOf(1).length + 10 })
    const unsent = link.takeUnsent()
    assert.deepEqual(
      unsent.map(({ scope, count, bytes }) => [scope, count, bytes.length]),
      [
        [0, 2, 2 * spanOf(1).length],
        [1, 1, spanOf(1).length],
      ],
    )
  })

  it('is no file of another kind, and no link to one', () => {
    const other = join(folder, '1-other.link')
    writeFileSync(other, 'something else that is long enough')
    assert.throws(() => open(other), /not a link file/)
    const link = writer()
    link.flush()
    symlinkSync(link.path, join(folder, '1-symbolic.link'))
    assert.throws(() => open(join(folder, '1-symbolic.link')), { code: 'ELOOP' })
    symlinkSync(join(folder, 'nowhere'), join(folder, `${process.pid}-planted.link`))
    assert.throws(() => new LinkWriter(folder, 'planted', Buffer.alloc(0)), { code: 'EEXIST' })
  })
})

describe('the owner of a folder', () => {
  it('is one process at a time', () => {
    const own = owners.makeFolder()
    assert.equal(owners.ownerState(own), 'present')
    assert.equal(owners.claim(own), false)
    writeFileSync(join(own, '1-0-0.link'), '')
    owners.announceLeaving(own)
    assert.equal(owners.ownerState(own), 'leaving')
    assert.equal(owners.claim(own), false)
    owners.leave(own)
    assert.equal(owners.ownerState(own), 'gone')
    assert.equal(owners.claim(own), true)
    assert.equal(owners.claim(own), false)
    assert.equal(owners.ownerState(own), 'present')
    rmSync(join(own, '1-0-0.link'))
    owners.leave(own)
    assert.equal(owners.ownerState(own), 'missing')
    assert.equal(existsSync(own), false)
  })

  it('is gone with its process, though another one may have its number', () => {
    const own = owners.makeFolder()
    writeFileSync(join(own, 'owner-1'), '2147483646\n')
    assert.equal(owners.ownerState(own), 'gone')
    assert.ok(isAlive(identityOf(process.pid)))
    if (process.platform === 'linux') assert.equal(isAlive(`${process.pid} 1`), false)
    assert.equal(isAlive('none'), false)
    rmSync(own, { recursive: true })
  })

  it('trusts a folder of this user alone', () => {
    const own = join(folder, 'threadspan-link-abc123')
    mkdirSync(own, { mode: 0o700 })
    // Without an owner's mark it may be anybody's.
    assert.equal(owners.isTrusted(own), false)
    assert.equal(owners.claim(own), false)
    assert.equal(owners.ownerState(own), 'missing')
    writeFileSync(join(own, 'owner-0'), '')
    assert.ok(owners.isTrusted(own))
    const other = join(folder, 'own')
    mkdirSync(other, { mode: 0o700 })
    writeFileSync(join(other, 'owner-0'), '')
    assert.equal(owners.isTrusted(other), false)
    chmodSync(own, 0o770)
    assert.equal(owners.isTrusted(own), false)
    chmodSync(own, 0o700)
    symlinkSync(own, join(folder, 'threadspan-link-def456'))
    assert.equal(owners.isTrusted(join(folder, 'threadspan-link-def456')), false)
    assert.equal(owners.isTrusted('own'), false)
    assert.equal(owners.isTrusted(`${own}\0`), false)
  })

  it('sweeps what killed ones have left, after a day', () => {
    const old = owners.makeFolder()
    const fresh = owners.makeFolder()
    for (const path of [old, fresh]) writeFileSync(join(path, 'owner-1'), '2147483646\n')
    const yesterday = Date.now() / 1000 - 25 * 3600
    utimesSync(old, yesterday, yesterday)
    owners.sweepFolders(Date.now())
    assert.equal(existsSync(old), false)
    assert.deepEqual(readdirSync(fresh), ['owner-0', 'owner-1'])
    rmSync(fresh, { recursive: true })
  })

  it('loses the signals of processes that are gone, once everybody has had time to look', () => {
    const own = owners.makeFolder()
    const gone = 2 ** 31 - 2
    const signals = [`${process.pid}-0-1.signal`, `${gone}-0-1.signal`, `${gone}-0-2.signal`]
    const anHourAgo = Date.now() / 1000 - 3600
    for (const file of signals) {
      writeFileSync(join(own, file), '')
      utimesSync(join(own, file), anHourAgo, anHourAgo)
    }
    writeFileSync(join(own, signals[2]!), 'abort')
    owners.sweepSignals(own, Date.now())
    assert.deepEqual(readdirSync(own).sort(), [signals[0], signals[2], 'owner-0'].sort())
    owners.leave(own)
    assert.equal(existsSync(own), false)
  })
})
