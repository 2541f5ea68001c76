import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { control, layout, memory, Ring, RingReader, readRecords, SLOT_BODY, writeRecord } from './support.js'

type Reader = InstanceType<typeof RingReader>

/** What the reader hands on, in order: `[scope, number]`. */
function drain(reader: Reader): [number, number][] {
  const seen: [number, number][] = []
  reader.drain({
    scope() {},
    spans(scope, bytes, count) {
      const numbers = readRecords(bytes)
      assert.equal(numbers.length, count)
      for (const number of numbers) seen.push([scope, number])
    },
  })
  return seen
}

/** The ring as simple as it can be: a list of what was written and not read, and the open spans. */
class Model {
  next = 0
  waiting: [number, number][] = []
  open = new Map<number, number>()
  scope = -1
}

class Real {
  readonly memory = memory(262144, 8)
  readonly ring: InstanceType<typeof Ring>
  readonly reader: Reader
  readonly slots = new Map<number, number>()

  /** @param position of an empty ring that has been in use, `offset` bytes behind its beginning. */
  constructor(position: number, offset: number) {
    const words = new Int32Array(this.memory.buffer)
    words[layout.HEAD] = position | 0
    words[layout.TAIL] = position | 0
    words[layout.ORIGIN] = (position - offset) | 0
    this.ring = new Ring(this.memory, control(), () => {})
    this.reader = new RingReader(this.memory)
  }
}

/** Near its end, and near the overflow of the counters, a ring has most to do. */
const positions = fc.oneof(
  fc.nat({ max: 16383 }),
  fc.integer({ min: -4096, max: -1 }),
  fc.constant(2 ** 29 - 64),
)
const offsets = fc.oneof(fc.nat({ max: 65535 }), fc.integer({ min: 64500, max: 65535 }))

type Command = fc.Command<Model, Real>

function writeCommand(length: number): Command {
  return {
    check: (model) => model.scope >= 0 && model.waiting.length < 100,
    run(model, real) {
      if (writeRecord(real.ring, model.next, length)) model.waiting.push([model.scope, model.next++])
      // A full ring that nobody reads holds its thread up until patience is out; the model reads before that.
      else assert.fail('a ring with room took nothing')
    },
    toString: () => `write(${length})`,
  }
}

function scopeCommand(name: string): Command {
  return {
    check: (model) => model.waiting.length < 100,
    run(model, real) {
      const scope = real.ring.defineScope(Buffer.from(name), '')
      assert.ok(real.ring.selectScope(scope))
      model.scope = scope
    },
    toString: () => `scope(${name})`,
  }
}

const readCommand: Command = {
  check: () => true,
  run(model, real) {
    assert.deepEqual(drain(real.reader), model.waiting)
    model.waiting = []
  },
  toString: () => 'read',
}

/** Another reader goes on where the last one was. */
const replaceCommand: Command = {
  check: () => true,
  run(model, real) {
    const reader = new RingReader(real.memory)
    assert.deepEqual(drain(reader), model.waiting)
    model.waiting = []
    Object.assign(real, { reader })
  },
  toString: () => 'replace reader',
}

function openCommand(key: number): Command {
  return {
    check: (model) => !model.open.has(key) && model.scope >= 0,
    run(model, real) {
      const slot = real.ring.openSlot()
      model.open.set(key, slot === 0 ? -1 : model.scope)
      real.slots.set(key, slot)
      if (slot === 0) return
      real.ring.bytes.writeUInt32LE(key, slot + SLOT_BODY)
      real.ring.armSlot(slot, 4, model.scope)
    },
    toString: () => `open(${key})`,
  }
}

function closeCommand(key: number): Command {
  return {
    check: (model) => model.open.has(key) && model.waiting.length < 100 && model.scope >= 0,
    run(model, real) {
      assert.ok(writeRecord(real.ring, model.next, 100, real.slots.get(key)!))
      model.waiting.push([model.scope, model.next++])
      model.open.delete(key)
    },
    toString: () => `close(${key})`,
  }
}

const lookCommand: Command = {
  check: () => true,
  run(model, real) {
    const found = [...real.reader.open()].map(({ scope, start }) => [
      Buffer.from(start).readUInt32LE(),
      scope,
    ])
    const wanted = [...model.open].filter(([, scope]) => scope >= 0)
    assert.deepEqual(found.sort(), wanted.sort())
  },
  toString: () => 'look',
}

describe('the ring', () => {
  it('gives back what was put in, whole and in order, and knows what is open', () => {
    const commands = [
      fc.integer({ min: 8, max: 600 }).map(writeCommand),
      fc.integer({ min: 8, max: 600 }).map(writeCommand),
      fc.string({ maxLength: 200 }).map(scopeCommand),
      fc.constant(readCommand),
      fc.constant(replaceCommand),
      fc.nat({ max: 11 }).map(openCommand),
      fc.nat({ max: 11 }).map(closeCommand),
      fc.constant(lookCommand),
    ]
    fc.assert(
      fc.property(
        positions,
        offsets,
        fc.commands(commands, { size: '+1', maxCommands: 400 }),
        (position, offset, list) =>
          fc.modelRun(() => ({ model: new Model(), real: new Real(4 * position, 4 * offset) }), list),
      ),
      { numRuns: 300 },
    )
  })

  it('keeps order and content between two threads, whatever the sizes', async () => {
    for (let run = 0; run < 5; run++) {
      const words = control()
      const shared = memory(65536, 16)
      const count = 100_000
      const support = new URL('support.js', import.meta.url).href
      const writer = new Worker(
        `const { workerData } = require('node:worker_threads')
        import(workerData.support).then(({ Ring, writeRecord }) => {
          const { memory, control, count, seed } = workerData
          const ring = new Ring(memory, control, () => {})
          ring.selectScope(ring.defineScope(Buffer.from('s'), ''))
          let state = seed
          for (let i = 0; i < count; i++) {
            state = (Math.imul(state, 1103515245) + 12345) >>> 0
            if (!writeRecord(ring, i, 8 + (state >>> 8) % ((state & 7) === 0 ? 12000 : 300))) throw new Error('no room')
          }
        })`,
        { eval: true, workerData: { support, memory: shared, control: words, count, seed: run + 1 } },
      )
      const ended = new Promise((resolve, reject) => writer.on('exit', resolve).on('error', reject))
      const reader = new RingReader(shared)
      let next = 0
      while (next < count) {
        for (const [, number] of drain(reader)) assert.equal(number, next++)
        await new Promise((resolve) => setImmediate(resolve))
      }
      await ended
      assert.equal(reader.takeLosses(), undefined)
    }
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
    assert.deepEqual(reader.takeLosses(), { ringFull: 1000 - taken, tooLarge: 0 })
    assert.equal(reader.takeLosses(), undefined)
    assert.equal(new RingReader(shared).takeLosses(), undefined)
    assert.equal(drain(reader).length, taken)
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
