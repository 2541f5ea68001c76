import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dist } from '../support/dist.js'
import { checkModel, drain } from './ring-model.js'
import { checkThreads } from './ring-threads.js'
import { control, layout, memory, Ring, RingReader, SLOT_SIZE, writeRecord } from './support.js'

const modules = { Ring, RingReader, ringUrl: dist('ring/ring.js') }

describe('the ring', () => {
  it('gives back what was put in, whole and in order, and knows what is open', () => {
    checkModel(modules)
  })

  it('keeps order and content between two threads, whatever the sizes', async () => {
    await checkThreads(modules, 100_000)
  })

  it('counts what it cannot take, once', () => {
    const shared = memory(65536, 16)
    const ring = new Ring(shared, control(), () => {})
    const reader = new RingReader(shared)
    reader.seal()
    ring.selectScope(ring.defineScope(Buffer.from('s'), ''))
    let taken = 0
    for (let i = 0; i < 1000; i++) if (writeRecord(ring, i, 200)) taken++
    assert.ok(taken > 250 && taken < 1000)
    assert.deepEqual(reader.takeLosses(), [{ signal: 'spans', cause: 'ring-full', count: 1000 - taken }])
    assert.deepEqual(reader.takeLosses(), [])
    assert.deepEqual(new RingReader(shared).takeLosses(), [])
    assert.equal(drain(reader).length, taken)
  })

  it('serves another thread, as good as new, once its reader is done with it', () => {
    const shared = memory(65536, 16)
    assert.equal(layout.renew(shared, SLOT_SIZE), false)
    const first = new Ring(shared, control(), () => {})
    first.selectScope(first.defineScope(Buffer.from('s'), ''))
    let taken = 0
    while (writeRecord(first, taken, 200)) taken++
    first.armSlot(first.openSlot(), 100, 0)
    const reader = new RingReader(shared)
    assert.equal(drain(reader).length, taken)
    reader.seal()
    assert.equal(layout.renew(shared, SLOT_SIZE), false)
    reader.dispose()
    assert.equal(layout.renew(shared, SLOT_SIZE), true)
    assert.equal(layout.renew(shared, SLOT_SIZE), false)

    const next = new RingReader(shared)
    assert.deepEqual([[...next.open()], next.takeLosses(), next.isSealed], [[], [], false])
    const second = new Ring(shared, control(), () => {})
    assert.equal(second.defineScope(Buffer.from('t'), 'url'), 0)
    second.selectScope(0)
    assert.ok(writeRecord(second, 7, 100))
    assert.equal(drain(next).length, 1)
  })

  it('puts scopes beyond its room under the first one', () => {
    const shared = memory()
    const ring = new Ring(shared, control(), () => {})
    const long = Buffer.alloc(60_000, 'a')
    assert.equal(ring.defineScope(long, 'https://schema.example'), 0)
    assert.equal(ring.defineScope(long, ''), 0)
    assert.equal(ring.defineScope(Buffer.from('b'), 'url'), 1)
    const told: [number, number, string][] = []
    new RingReader(shared).tellScopes({
      scope: (id, bytes, url) => told.push([id, bytes.length, url]),
      spans() {},
    })
    assert.deepEqual(told, [
      [0, 60_000, 'https://schema.example'],
      [1, 1, 'url'],
    ])
    const other = new Ring(memory(), control(), () => {})
    assert.equal(other.defineScope(Buffer.alloc(70_000), ''), 0)
  })

  it('lets go of what is no record', () => {
    const shared = memory()
    const ring = new Ring(shared, control(), () => {})
    ring.selectScope(ring.defineScope(Buffer.from('s'), ''))
    assert.ok(writeRecord(ring, 1, 100))
    const reader = new RingReader(shared)
    ring.bytes.fill(0xee, layout.RING_START, layout.RING_START + 8)
    assert.deepEqual(drain(reader), [])
    assert.equal(reader.corruptions, 1)
    assert.ok(writeRecord(ring, 2, 100))
    assert.equal(drain(reader).length, 1)
  })
})
