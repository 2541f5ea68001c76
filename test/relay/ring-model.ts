/** The ring as simple as it can be, beside a real one: what every ring must do, for this package's and for broken ones. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { control, layout, memory, readRecords, SLOT_BODY, writeRecord } from './support.js'

/** A ring's two sides, and where a second thread finds the writing one. */
export interface RingModules {
  readonly Ring: typeof import('../../src/ring/ring.js').Ring
  readonly RingReader: typeof import('../../src/ring/reader.js').RingReader
  readonly ringUrl: string
}

type Reader = InstanceType<RingModules['RingReader']>

/** What the reader hands on, in order: `[scope, number]`. */
export function drain(reader: Reader): [number, number][] {
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
  readonly memory: ReturnType<typeof memory>
  readonly ring: InstanceType<RingModules['Ring']>
  readonly reader: Reader
  readonly slots = new Map<number, number>()

  /** @param position of an empty ring that has been in use, `offset` bytes behind its beginning. */
  constructor(
    readonly modules: RingModules,
    capacity: number,
    position: number,
    offset: number,
  ) {
    this.memory = memory(capacity, 8)
    // Of an earlier round: a new ring's zeros would hide what is not written.
    Buffer.from(this.memory.buffer).fill(0xee, layout.RING_START, layout.RING_START + capacity)
    const words = new Int32Array(this.memory.buffer)
    words[layout.HEAD] = position | 0
    words[layout.TAIL] = position | 0
    words[layout.ORIGIN] = (position - offset) | 0
    this.ring = new modules.Ring(this.memory, control(), () => {})
    this.reader = new modules.RingReader(this.memory)
  }
}

/** Near its end, and near the overflow of the counters, a ring has most to do. */
export const positions = fc.oneof(
  fc.nat({ max: 16383 }),
  fc.integer({ min: -4096, max: -1 }),
  fc.constant(2 ** 29 - 64),
)
const offsets = fc.oneof(
  fc.nat({ max: 65535 }),
  fc.integer({ min: 64500, max: 65535 }),
  fc.integer({ min: 15000, max: 16383 }),
)
/** The small one gets to its end; the large one, emptied, starts over before it does. */
const capacities = fc.constantFrom(65536, 262144)

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

/** A record that ends just where the ring does, if one can. */
const fillCommand: Command = {
  check: (model) => model.scope >= 0 && model.waiting.length < 100,
  run(model, real) {
    const left = layout.RING_START + real.memory.capacity - real.ring.reserve(4)
    if (left >= 12 && left <= 604) writeCommand(left - 4).run(model, real)
  },
  toString: () => 'fill',
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
    const reader = new real.modules.RingReader(real.memory)
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

/** What the checks may be told: how long to go on, and from where. */
export interface RingChecks {
  readonly numRuns?: number
  readonly seed?: number
  /** Without the search for the smallest example. */
  readonly endOnFailure?: boolean
}

/** One thread, any order of what can be done. @throws With the example at which the ring differs from the model. */
export function checkModel(modules: RingModules, checks: RingChecks = {}): void {
  const commands = [
    fc.integer({ min: 8, max: 600 }).map(writeCommand),
    fc.integer({ min: 8, max: 600 }).map(writeCommand),
    fc.constant(fillCommand),
    fc.string({ maxLength: 200 }).map(scopeCommand),
    fc.constant(readCommand),
    fc.constant(replaceCommand),
    fc.nat({ max: 11 }).map(openCommand),
    fc.nat({ max: 11 }).map(closeCommand),
    fc.constant(lookCommand),
  ]
  const setup = (capacity: number, position: number, offset: number) => ({
    model: new Model(),
    real: new Real(modules, capacity, 4 * position, 4 * offset),
  })
  fc.assert(
    fc.property(
      capacities,
      positions,
      offsets,
      fc.commands(commands, { size: '+1', maxCommands: 400 }),
      (capacity, position, offset, list) => fc.modelRun(() => setup(capacity, position, offset), list),
    ),
    { numRuns: 300, ...checks },
  )
}
