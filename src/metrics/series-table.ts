/** Which series of an instrument a set of attributes belongs to: found again without encoding, hashing or memory. */
import type { Attributes, AttributeValue } from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { encodeKeyValues } from '../otlp/encode.js'

/** Series of one instrument in one thread, the one for what is too much among them (SDK specification, "Cardinality limits"). */
export const MOST_SERIES = 2000
/** Bytes of one series' encoded attributes. */
const MOST_BYTES = 16 * 1024
/** Orders of keys that are known by heart; a set in another order is looked up by its encoded form. */
const MOST_SHAPES = 16
/** Elements of an array that are kept. */
const MOST_ITEMS = 1000
const OVERFLOW: Attributes = { 'otel.metric.overflow': true }
const NONE: Attributes = {}

type Node<S> = Map<unknown, Node<S> | S>

/** Sets of attributes whose keys come in one order, as a tree with a level for each value. */
interface Shape<S> {
  readonly keys: readonly string[]
  readonly root: Node<S>
}

export class SeriesTable<S extends object> {
  private readonly byBytes = new Map<string, S>()
  private readonly shapes: Shape<S>[] = []
  /** The one of the last set. */
  private last: Shape<S> = { keys: [], root: new Map() }
  private bare: S | undefined
  private overflow: S | undefined

  /**
   * @param make Makes a series, given its encoded attributes, sorted by key; undefined where there is no room, and the values of such a
   *   series are counted and go nowhere.
   */
  constructor(
    private readonly make: (attributes: Uint8Array) => S | undefined,
    private readonly nowhere: S,
  ) {}

  /** Never throws: attributes that cannot be read count as not given. */
  find(attributes: Attributes | undefined): S {
    if (attributes === undefined) return this.none
    try {
      const { keys, root } = this.last
      let node: Node<S> | S | undefined = root
      let n = 0
      for (const key in attributes) {
        if (key !== keys[n++]) return this.look(attributes)
        node = (node as Node<S>).get(attributes[key])
        if (node === undefined) return this.look(attributes)
      }
      if (n === keys.length && n > 0) return node as S
      return n === 0 ? this.none : this.look(attributes)
    } catch {
      // A getter of the caller's, or a revoked proxy.
      count('metric.attribute')
      return this.none
    }
  }

  private get none(): S {
    this.bare ??= this.look(NONE)
    return this.bare
  }

  private look(attributes: Attributes): S {
    const given = typeof attributes === 'object' && attributes !== null ? attributes : NONE
    const keys = Object.keys(given)
    const known = this.known(given, keys)
    if (known !== undefined) return known
    const sorted: Attributes = Object.create(null)
    let isPlain = keys.length > 0
    for (const key of keys.toSorted()) {
      const value = given[key]
      const own = ownValue(value)
      if (own === undefined) isPlain = false
      else sorted[key] = own
      if (typeof value === 'object') isPlain = false
    }
    const bytes = encodeKeyValues(0x0a, sorted as Parameters<typeof encodeKeyValues>[1], 0)
    const { series, isOwn } = this.seriesOf(bytes)
    if (isPlain && isOwn) this.remember(given, keys, series)
    return series
  }

  /** By the shapes that are known beside the last one. */
  private known(attributes: Attributes, keys: readonly string[]): S | undefined {
    const shape = this.shapes.find((candidate) => isSame(candidate.keys, keys))
    if (shape === undefined) return undefined
    let node: Node<S> | S | undefined = shape.root
    for (const key of keys) {
      node = (node as Node<S>).get(attributes[key])
      if (node === undefined) return undefined
    }
    this.last = shape
    return node as S
  }

  private seriesOf(bytes: Uint8Array): { readonly series: S; readonly isOwn: boolean } {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    const known = this.byBytes.get(key)
    if (known !== undefined) return { series: known, isOwn: true }
    if (this.byBytes.size < MOST_SERIES - 1 && bytes.length <= MOST_BYTES) {
      const made = this.make(bytes)
      if (made !== undefined) {
        this.byBytes.set(key, made)
        return { series: made, isOwn: true }
      }
    }
    count('metric.overflow')
    this.overflow ??= this.make(encodeKeyValues(0x0a, OVERFLOW as Parameters<typeof encodeKeyValues>[1], 0))
    return { series: this.overflow ?? this.nowhere, isOwn: false }
  }

  private remember(attributes: Attributes, keys: readonly string[], series: S): void {
    let shape = this.shapes.find((candidate) => isSame(candidate.keys, keys))
    if (shape === undefined) {
      if (this.shapes.length >= MOST_SHAPES) return
      shape = { keys, root: new Map() }
      this.shapes.push(shape)
    }
    let node = shape.root
    for (const key of keys.slice(0, -1)) {
      let next = node.get(attributes[key]) as Node<S> | undefined
      if (next === undefined) {
        next = new Map()
        node.set(attributes[key], next)
      }
      node = next
    }
    node.set(attributes[keys.at(-1)!], series)
    this.last = shape
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, i) => key === b[i])
}

/** A copy of what may be an attribute's value; undefined, and counted, for what may not. */
function ownValue(value: unknown): AttributeValue | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value) && value.length <= MOST_ITEMS) {
    const items = Array.from(value as unknown[])
    const type = typeof items.find((item) => item !== null && item !== undefined)
    const isOne = items.every((item) => item === null || item === undefined || typeof item === type)
    if (isOne && ['string', 'number', 'boolean', 'undefined'].includes(type)) return items as AttributeValue
  }
  count('metric.attribute')
  return undefined
}
