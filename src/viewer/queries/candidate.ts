import type { Span } from '../../otlp/types.js'
import type { Store } from '../store/store.js'
import { DECODE, READ, spend } from './effort.js'
import type { Needle } from './needle.js'

/** A span of a settled trace that is looked at; decoded when a term asks for it, which few do. */
export class Candidate {
  row = 0
  #span: Span | undefined

  constructor(readonly store: Store) {}

  at(row: number): this {
    this.row = row
    this.#span = undefined
    return this
  }

  get span(): Span {
    if (this.#span === undefined) {
      spend(DECODE)
      this.#span = this.store.decode(this.row)
    }
    return this.#span
  }

  get lane(): number {
    return this.store.columns.lane[this.row]!
  }
}

/** Whether a span meets a term. A test is for one answer: what it has worked out holds while the store does not change. */
export type Test = (candidate: Candidate) => boolean

/** Whether the encoded span has, of each of the lists, one of the needles. */
export function onWire(...wanted: readonly (readonly Needle[])[]): Test {
  let block = -1
  let possible: readonly (readonly Needle[])[] | undefined
  return ({ store, row }) => {
    const { signatures } = store
    if (block !== signatures.blockOf(row)) {
      block = signatures.blockOf(row)
      const left = wanted.map((needles) => needles.filter(({ hashes }) => signatures.mayHold(block, hashes)))
      possible = left.every(({ length }) => length > 0) ? left : undefined
    }
    if (possible === undefined) return false
    spend(READ)
    const { bytes, start, end } = store.encoded(row)
    return possible.every((needles) => needles.some((needle) => needle.in(bytes, start, end)))
  }
}

/** What is the same for all spans of a lane is worked out once for it. */
export function perLane(test: (store: Store, lane: number) => boolean): Test {
  return once(
    ({ lane }) => lane,
    ({ store }, lane) => test(store, lane),
  )
}

/** What is the same for all spans of a small number is worked out once for it. */
export function once(
  numberOf: (candidate: Candidate) => number,
  test: (candidate: Candidate, number: number) => boolean,
): Test {
  const known: (boolean | undefined)[] = []
  return (candidate) => {
    const number = numberOf(candidate)
    known[number] ??= test(candidate, number)
    return known[number]
  }
}
