import { gzipSync } from 'node:zlib'
import { concat, count, lengthDelimited, putVarint, text, varintSize } from '../../otlp/encode.js'
import { threadLabel } from '../queries/columns.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import type { Pieces } from './format.js'
import { nanosOf, rowsByStart } from './rows.js'

/** Most frames of a stack, counted from its innermost one: profilers do not go deeper either. */
const MAX_FRAMES = 256

/** A place in the tree of all stacks. */
interface Node {
  readonly up: Node | undefined
  /** Number of its location, which is that of its function. */
  readonly location: number
  readonly below: Map<number, Node>
  /** By the string of the thread's name: what was measured here. */
  readonly samples: Map<number, { spans: number; self: number }>
}

/**
 * A profile in pprof's format (https://github.com/google/pprof/blob/main/proto/profile.proto), compressed by gzip: how often each stack of
 * span names was seen, and the self time of its innermost span, which is the span's duration less the union of its children's. The functions are span names,
 * their files the services, and each sample has a label with its thread.
 */
export function* pprofExport(store: Store, traces: readonly Trace[]): Pieces {
  const { columns } = store
  const profile = new Profile(store)
  const covered = new Float64Array(columns.capacity)
  const reached = new Float64Array(columns.capacity)
  let first = -1
  let last = 0n
  for (const trace of traces) {
    const { origin } = trace
    if (first < 0 || columns.startAfter(origin, first) < 0) first = origin
    const { rows } = rowsByStart(store, [trace])
    for (const row of rows) {
      const { start, end } = nanosOf(store, row, origin)
      cover(columns.up[row]!, origin, start, end)
    }
    for (const row of rows) {
      const { start, end } = nanosOf(store, row, origin)
      profile.add(row, Math.max(0, end - start - covered[row]!))
      const ended = columns.startNano(origin) + BigInt(end)
      if (ended > last) last = ended
    }
  }
  const from = first < 0 ? 0n : columns.startNano(first)
  yield gzipSync(profile.encode(from, first < 0 ? 0 : Number(last - from)))

  /** Children come by start, so each covers what lies after the end of those before it. */
  function cover(parent: number, origin: number, start: number, end: number): void {
    if (parent < 0) return
    const outer = nanosOf(store, parent, origin)
    const from = Math.max(reached[parent]!, outer.start, start)
    const until = Math.min(outer.end, end)
    if (until <= from) return
    covered[parent] = covered[parent]! + until - from
    reached[parent] = until
  }
}

class Profile {
  readonly #strings = new Map<string, number>([['', 0]])
  readonly #functions: { name: number; file: number }[] = []
  readonly #byKey = new Map<string, number>()
  readonly #root: Node = { up: undefined, location: 0, below: new Map(), samples: new Map() }
  /** By row of the store. */
  readonly #nodes = new Map<number, Node>()

  constructor(private readonly store: Store) {}

  add(row: number, self: number): void {
    const lane = this.store.columns.lane[row]!
    const thread = this.#string(threadLabel(this.store.lanes.lanes.value(lane)))
    const { samples } = this.#node(row)
    const sample = samples.get(thread)
    if (sample === undefined) samples.set(thread, { spans: 1, self })
    else {
      sample.spans++
      sample.self += self
    }
  }

  /** The place of a span's stack. A circle of parents is cut where it closes. */
  #node(row: number): Node {
    const { up } = this.store.columns
    const way: number[] = []
    const seen = new Set<number>()
    let at = row
    for (; at >= 0 && !this.#nodes.has(at) && !seen.has(at); at = up[at]!) {
      seen.add(at)
      way.push(at)
    }
    let node = (at >= 0 ? this.#nodes.get(at) : undefined) ?? this.#root
    for (const each of way.reverse()) {
      const location = this.#location(each)
      let below = node.below.get(location)
      if (below === undefined) {
        below = { up: node, location, below: new Map(), samples: new Map() }
        node.below.set(location, below)
      }
      node = below
      this.#nodes.set(each, node)
    }
    return node
  }

  #location(row: number): number {
    const { columns, names, lanes } = this.store
    const name = this.#string(names.value(columns.name[row]!))
    const file = this.#string(lanes.of(columns.lane[row]!).service)
    const key = `${name} ${file}`
    let id = this.#byKey.get(key)
    if (id === undefined) {
      id = this.#functions.push({ name, file })
      this.#byKey.set(key, id)
    }
    return id
  }

  #string(value: string): number {
    let index = this.#strings.get(value)
    if (index === undefined) {
      index = this.#strings.size
      this.#strings.set(value, index)
    }
    return index
  }

  /** The encoded `perftools.profiles.Profile`. @param from @param length Nanoseconds. */
  encode(from: bigint, length: number): Uint8Array {
    const self = this.#string('self')
    const types: [number, number][] = [
      [this.#string('spans'), this.#string('count')],
      [self, this.#string('nanoseconds')],
    ]
    const thread = this.#string('thread')
    const parts = types.map(([type, unit]) =>
      lengthDelimited(0x0a, concat([count(0x08, type), count(0x10, unit)])),
    )
    for (const node of nodesBelow(this.#root)) {
      const stack = packed(0x0a, stackOf(node))
      for (const [label, { spans, self }] of node.samples) {
        const labels = lengthDelimited(0x1a, concat([count(0x08, thread), count(0x10, label)]))
        parts.push(lengthDelimited(0x12, concat([stack, packed(0x12, [spans, self]), labels])))
      }
    }
    for (const [i, { name, file }] of this.#functions.entries()) {
      const id = count(0x08, i + 1)
      parts.push(lengthDelimited(0x22, concat([id, lengthDelimited(0x22, id)])))
      parts.push(lengthDelimited(0x2a, concat([id, count(0x10, name), count(0x18, name), count(0x20, file)])))
    }
    for (const value of this.#strings.keys()) parts.push(text(0x32, value))
    parts.push(bigCount(0x48, from), count(0x50, length), count(0x70, self))
    return concat(parts)
  }
}

/** All places below one, without a recursion as deep as the stacks. */
function* nodesBelow(root: Node): Generator<Node> {
  const waiting = [...root.below.values()]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node
    for (const below of node.below.values()) waiting.push(below)
  }
}

/** The innermost frame first, as pprof has it. */
function stackOf(node: Node): number[] {
  const stack: number[] = []
  for (let at: Node | undefined = node; at?.up !== undefined && stack.length < MAX_FRAMES; at = at.up) {
    stack.push(at.location)
  }
  return stack
}

/** A packed field of integers. */
function packed(tag: number, values: readonly number[]): Uint8Array {
  const content = new Uint8Array(values.reduce((size, value) => size + varintSize(value), 0))
  let at = 0
  for (const value of values) at = putVarint(content, at, value)
  return lengthDelimited(tag, content)
}

function bigCount(tag: number, value: bigint): Uint8Array {
  const bytes = [tag]
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
