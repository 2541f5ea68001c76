import type { Filter } from '../api.js'
import { HttpError } from '../receiver/http-error.js'
import { limitOf } from './filter.js'

/** Some rows of a list, and how many it has. */
export class Paged<T> {
  constructor(
    readonly rows: readonly T[],
    readonly total: number,
  ) {}

  map<U>(make: (row: T) => U): Paged<U> {
    return new Paged(this.rows.map(make), this.total)
  }
}

/** How a list can be sorted, and how it is unless told. */
export interface Sorting<T> {
  readonly by: Readonly<Record<string, (row: T) => number | string>>
  readonly otherwise: string
  readonly limit: number
  readonly most: number
}

/** Sorting by fields of a row, under their own names. */
export function byFields<K extends string>(
  ...names: readonly K[]
): Record<string, (row: Readonly<Record<K, number | string>>) => number | string> {
  return Object.fromEntries(names.map((name) => [name, (row) => row[name]]))
}

/** Negative where the first comes before the second. */
export type Order<T> = (a: T, b: T) => number

/** The order that a filter asks for: descending unless told; equals keep the order they came in. @throws HttpError 400 */
export function orderOf<T>(filter: Filter, { by, otherwise }: Sorting<T>): Order<T> {
  const key = filter.sort ?? otherwise
  const value = Object.hasOwn(by, key) ? by[key] : undefined
  if (value === undefined) {
    const known = Object.keys(by).join(', ')
    throw new HttpError(400, 'THREADSPAN_FILTER', `The parameter "sort" must be one of ${known}`)
  }
  const sign = filter.order === 'asc' ? 1 : -1
  return (a, b) => {
    const x = value(a)
    const y = value(b)
    return x === y ? 0 : x < y ? -sign : sign
  }
}

/** The page of a list that a filter asks for. Only what is on it or before it is sorted: a list can have a million rows. */
export function paged<T>(rows: readonly T[], filter: Filter, sorting: Sorting<T>): Paged<T> {
  const order = orderOf(filter, sorting)
  const offset = Math.max(0, Math.floor(filter.offset ?? 0))
  const end = Math.min(rows.length, offset + limitOf(filter, sorting.limit, sorting.most))
  return new Paged(firstOf(rows, end, order).slice(offset), rows.length)
}

/** The first `count` of rows in an order: a heap whose top is the last of those kept. */
export function firstOf<T>(rows: readonly T[], count: number, order: Order<T>): T[] {
  const places = (a: number, b: number) => order(rows[a]!, rows[b]!) || a - b
  const all = Uint32Array.from(rows.keys())
  if (count * 4 > rows.length) return Array.from(all.sort(places).subarray(0, count), (i) => rows[i]!)
  const heap = all.slice(0, count)
  const sink = (at: number): void => {
    for (;;) {
      let last = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < count && places(heap[child]!, heap[last]!) > 0) last = child
      if (last === at) return
      const moved = heap[at]!
      heap[at] = heap[last]!
      heap[last] = moved
      at = last
    }
  }
  for (let at = (count >> 1) - 1; at >= 0; at--) sink(at)
  for (let i = count; i < rows.length && count > 0; i++) {
    if (places(i, heap[0]!) >= 0) continue
    heap[0] = i
    sink(0)
  }
  return Array.from(heap.sort(places), (i) => rows[i]!)
}
