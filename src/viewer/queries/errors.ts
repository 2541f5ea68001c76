import { createHash } from 'node:crypto'
import type { Span } from '../../otlp/types.js'
import type { ErrorDetail, ErrorGroup, Filter } from '../api.js'
import { Mark } from '../store/columns.js'
import type { Store } from '../store/store.js'
import { type Trace, transactionOf } from '../store/trace.js'
import { byFields, type Paged, paged } from './paging.js'
import { plainText } from './plain.js'
import { select } from './selection.js'
import { bucketsOf } from './series.js'
import { culpritOf, type Frame, parseStack } from './stack.js'

const FAILED = Mark.error | Mark.closed | Mark.exception
const MAX_OCCURRENCES = 50
const PAGING: ReadonlySet<string> = new Set(['limit', 'offset', 'sort', 'order'])
const MAX_MESSAGE = 2000

/** Most kinds that are told apart; what comes later is one kind. */
const MAX_KINDS = 10_000

/** What tells one kind of error from another: its type and place, or its message where there is no place. */
interface Kind {
  fingerprint: string
  type: string
  message: string
  culprit: string
  /** Told by the status alone: the span may only pass on what failed inside it. */
  bare: boolean
}

interface Failure {
  bare: boolean
  type: string
  message: string
  stack: Frame[]
}

/**
 * Groups the spans that failed. What kind of error a span has is found out once, by decoding it, and then kept in a column
 * of the store.
 */
export class Errors {
  readonly #store: Store
  /** By number; 0 is "not looked for yet". */
  readonly #kinds: Kind[] = [{ fingerprint: '', type: '', message: '', culprit: '', bare: false }]
  readonly #numbers = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  /** `GET /api/errors`: the latest first. */
  list(filter: Filter): Paged<ErrorGroup> {
    const groups = [...this.#groups(filter)].map(([number, rows]) => this.#group(number, rows))
    return paged(groups, filter, {
      by: byFields('last', 'first', 'count', 'type', 'culprit'),
      otherwise: 'last',
      limit: 200,
      most: 1000,
    })
  }

  /** The fingerprint of the group that counts a span of a settled trace, or null. */
  groupOf(trace: Trace, row: number): string | null {
    if ((this.#store.columns.marks[row]! & FAILED) === 0 || !this.#causes(trace).includes(row)) return null
    return this.#kinds[this.#store.columns.group[row]!]!.fingerprint
  }

  /** `GET /api/errors/:fingerprint`, or undefined when there is no such group. */
  detail(fingerprint: string, filter: Filter): ErrorDetail | undefined {
    const groups = this.#groups(filter)
    const number = this.#numbers.get(fingerprint)
    const rows = number === undefined ? undefined : groups.get(number)
    if (number === undefined || rows === undefined) return undefined
    const group = this.#group(number, rows)
    const { columns } = this.#store
    const { step, times } = bucketsOf(filter.from ?? group.first, filter.to ?? group.last)
    const count = times.map(() => 0)
    for (const row of rows) {
      const i = Math.floor((columns.start(row) - times[0]!) / step)
      if (i >= 0 && i < count.length) count[i]!++
    }
    const latest = [...rows].sort((a, b) => columns.start(b) - columns.start(a)).slice(0, MAX_OCCURRENCES)
    return {
      ...group,
      series: { step, times, count },
      occurrences: latest.map((row) => this.#occurrence(row)),
    }
  }

  /** The failed spans of the traces that the filter picks, by group. */
  #groups(filter: Filter): Map<number, number[]> {
    const { columns } = this.#store
    this.#store.settle()
    const picky = Object.entries(filter).some(([key, value]) => value !== undefined && !PAGING.has(key))
    const wanted = new Set(picky ? select(this.#store, filter, true) : [])
    const traces = picky
      ? new Set([...wanted].map((row) => this.#store.traceOf(row)))
      : this.#store.traces.values()
    const groups = new Map<number, number[]>()
    for (const trace of traces) {
      if (trace.errors === 0 && !this.#hasException(trace.first)) continue
      for (const row of this.#causes(trace)) {
        if (picky && !wanted.has(transactionOf(row, this.#store.columns))) continue
        const number = columns.group[row]!
        const rows = groups.get(number)
        if (rows === undefined) groups.set(number, [row])
        else rows.push(row)
      }
    }
    return groups
  }

  /**
   * The spans of a trace in which something went wrong. An error on its way out leaves a mark on every span that it
   * passes: it counts once, where it was recorded first.
   */
  #causes(trace: Trace): number[] {
    const { marks, up, group } = this.#store.columns
    const failed: number[] = []
    for (const row of this.#store.rows(trace)) {
      if ((marks[row]! & FAILED) === 0) continue
      this.#kindOf(row)
      failed.push(row)
    }
    const passed = new Set<number>()
    for (const row of failed) {
      const parent = up[row]!
      if (parent < 0 || (marks[parent]! & FAILED) === 0) continue
      if (group[parent] === group[row] || this.#kinds[group[parent]!]!.bare) passed.add(parent)
    }
    return failed.filter((row) => !passed.has(row))
  }

  #hasException(first: number): boolean {
    const { marks, next } = this.#store.columns
    for (let row = first; row >= 0; row = next[row]!) if ((marks[row]! & Mark.exception) !== 0) return true
    return false
  }

  #kindOf(row: number): number {
    const { group } = this.#store.columns
    if (group[row] !== 0) return group[row]!
    const span = this.#store.decode(row)
    const { type, message, stack, bare } = failureOf(span)
    const culprit = culpritOf(stack)
    // Numbers and ids in a message differ from case to case.
    // Nor does the URL tell one kind from another, which is in the message where nothing else is.
    const words = bare ? span.status.message || span.name : message
    const place =
      culprit === '' ? words.slice(0, MAX_MESSAGE).replace(/\b[\da-f-]*\d[\da-f-]*\b/gi, '#') : culprit
    const full = this.#kinds.length >= MAX_KINDS
    const identity = full ? 'other' : JSON.stringify([type, place])
    const fingerprint = createHash('sha256').update(identity).digest('hex').slice(0, 16)
    let number = this.#numbers.get(fingerprint)
    if (number === undefined) {
      number = this.#kinds.length
      const kind = { fingerprint, type, message, culprit, bare }
      this.#kinds.push(
        full ? { ...kind, type: 'other', message: 'More kinds of errors than are told apart' } : kind,
      )
      this.#numbers.set(fingerprint, number)
    }
    group[row] = number
    return number
  }

  #group(number: number, rows: number[]): ErrorGroup {
    const { columns, lanes, names } = this.#store
    const services = new Set<string>()
    const transactions = new Set<string>()
    let first = Number.POSITIVE_INFINITY
    let last = Number.NEGATIVE_INFINITY
    for (const row of rows) {
      const start = columns.start(row)
      first = Math.min(first, start)
      last = Math.max(last, start)
      services.add(lanes.of(columns.lane[row]!).service)
      const owner = transactionOf(row, this.#store.columns)
      if (owner >= 0) transactions.add(names.value(columns.name[owner]!))
    }
    const { bare: _, ...kind } = this.#kinds[number]!
    return {
      ...kind,
      count: rows.length,
      first,
      last,
      services: [...services].slice(0, 50),
      transactions: [...transactions].slice(0, 50),
    }
  }

  #occurrence(row: number): ErrorDetail['occurrences'][number] {
    const { columns, lanes, names } = this.#store
    const span = this.#store.decode(row)
    const { message, stack } = failureOf(span)
    const owner = transactionOf(row, this.#store.columns)
    const closed = span.attributes['threadspan.closed']
    return {
      traceId: span.traceId,
      spanId: span.spanId,
      transaction: owner < 0 ? '' : names.value(columns.name[owner]!),
      service: lanes.of(columns.lane[row]!).service,
      time: columns.start(row),
      message,
      stack,
      closed: closed === undefined ? null : plainText(closed),
    }
  }
}

/** What a span says of its failure: its last exception, else the reason it was closed for, else its status. */
function failureOf(span: Span): Failure {
  const exception = span.events.findLast(({ name }) => name === 'exception')
  if (exception !== undefined) {
    const { attributes } = exception
    return {
      bare: false,
      type: plainText(attributes['exception.type']) || 'Error',
      message: (plainText(attributes['exception.message']) || span.status.message).slice(0, MAX_MESSAGE),
      stack: parseStack(plainText(attributes['exception.stacktrace'])),
    }
  }
  const closed = span.attributes['threadspan.closed']
  if (closed !== undefined) {
    const message = `Open when its thread or process ended: ${plainText(closed)}`
    return { bare: false, type: 'closed', message: message.slice(0, MAX_MESSAGE), stack: [] }
  }
  const given = plainText(span.attributes['error.type'])
  // HTTP's conventions put the status code there, which alone tells nobody what it is a number of.
  const type = /^[1-5]\d\d$/.test(given) ? `HTTP ${given}` : given || 'Failed'
  const { attributes } = span
  const url = plainText(
    attributes['url.full'] ?? attributes['http.url'] ?? attributes['url.path'] ?? attributes['http.target'],
  )
  const message = span.status.message || (url === '' ? span.name : `${span.name} ${url}`)
  return { bare: true, type, message: message.slice(0, MAX_MESSAGE), stack: [] }
}
