import type { AnyValue, Span } from '../../otlp/types.js'
import { compare, lower, parseQuery, type State, type Structure, type Term } from '../query.js'
import { Mark } from '../store/columns.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { threadLabel } from './columns.js'
import { KINDS } from './kinds.js'
import { Needle, needlesOf, textNeedles } from './needle.js'
import { collect, leaves } from './plain.js'
import { relationTo } from './relations.js'
import { isError, statusClass, statusText } from './status-text.js'

/** A span of a settled trace that is looked at; decoded when a term asks for it, which few do. */
class Candidate {
  row = 0
  #span: Span | undefined

  constructor(readonly store: Store) {}

  at(row: number): this {
    this.row = row
    this.#span = undefined
    return this
  }

  get span(): Span {
    this.#span ??= this.store.decode(this.row)
    return this.#span
  }

  get lane(): number {
    return this.store.columns.lane[this.row]!
  }
}

type Test = (candidate: Candidate) => boolean

/** Most searches whose findings are kept. */
const MAX_KNOWN = 8
const searches = new Map<string, WeakMap<Trace, number>>()

/**
 * What a search has found in traces before: their number of spans then, negative where it found nothing. Lists ask for the same again
 * and again as more arrives, and a trace changes only by growing.
 */
function knownOf(search: string): WeakMap<Trace, number> {
  const known = searches.get(search) ?? new WeakMap<Trace, number>()
  searches.delete(search)
  searches.set(search, known)
  if (searches.size > MAX_KNOWN) searches.delete(searches.keys().next().value!)
  return known
}

/**
 * Finds spans by a search, whose grammar is that of `parseQuery`: in columns and in the encoded bytes first, which is fast and finds too
 * much, then in the decoded span.
 */
export class Search {
  readonly #tests: readonly Test[]
  readonly #structure: Structure | undefined
  /** By group of the structure. */
  readonly #groups: readonly (readonly Test[])[]
  readonly #known: WeakMap<Trace, number>

  constructor(search: string) {
    this.#known = knownOf(search)
    const { terms, structure } = parseQuery(search)
    this.#tests = terms.map(signedTest)
    this.#structure = structure
    this.#groups = structure?.groups.map((group) => group.map(signedTest)) ?? []
  }

  /** Whether one span of the trace meets all terms. */
  matches(store: Store, trace: Trace): boolean {
    const known = this.#known.get(trace)
    if (known !== undefined && Math.abs(known) === trace.spans) return known > 0
    const candidate = new Candidate(store)
    let found = false
    if (this.#structure !== undefined) found = this.#related(store, trace, this.#structure).size > 0
    else
      for (let row = trace.first; row >= 0 && !found; row = store.columns.next[row]!)
        found = this.#meets(candidate.at(row))
    this.#known.set(trace, found ? trace.spans : -trace.spans)
    return found
  }

  /** Those of `rows`, all of settled traces, that meet all terms; as their places among them. */
  places(store: Store, rows: readonly number[]): number[] {
    const found: number[] = []
    if (this.#structure !== undefined) {
      const sets = new Map<Trace, ReadonlySet<number>>()
      for (const [i, row] of rows.entries()) {
        const trace = store.traceOf(row)
        const set = sets.get(trace) ?? this.#related(store, trace, this.#structure)
        sets.set(trace, set)
        if (set.has(row)) found.push(i)
      }
      return found
    }
    const candidate = new Candidate(store)
    for (const [i, row] of rows.entries()) if (this.#meets(candidate.at(row))) found.push(i)
    return found
  }

  #meets(candidate: Candidate, tests = this.#tests): boolean {
    return tests.every((test) => test(candidate))
  }

  /** The rows of a settled trace that a question of structure finds. */
  #related(store: Store, trace: Trace, { relations, count }: Structure): ReadonlySet<number> {
    const candidate = new Candidate(store)
    let found = new Set<number>()
    for (const [i, tests] of this.#groups.entries()) {
      const stands = i === 0 ? () => true : relationTo(store, found, relations[i - 1]!)
      const next = new Set<number>()
      for (const row of store.rows(trace))
        if (stands(row) && this.#meets(candidate.at(row), tests)) next.add(row)
      found = next
    }
    return count === undefined || compare(count, found.size) ? found : new Set()
  }
}

function signedTest(term: Term): Test {
  const test = testOf(term)
  return term.isNot ? (candidate) => !test(candidate) : test
}

function testOf(term: Term): Test {
  if (term.type === 'state') return stateTest(term.state)
  if (term.type === 'field') return FIELDS.get(term.key)?.(term) ?? attributeTest(term)
  return textTest(term.text)
}

/** In the name, attributes, events, status, service, host or thread, or as the beginning of an id. */
function textTest(word: string): Test {
  // Booleans are not text on the wire: words that may be part of one are looked for decoded only.
  const isWritten = 'true false'.includes(word) ? () => true : onWire(needlesOf(word))
  const inLane = perLane((store, lane) => {
    const { service, host } = store.lanes.of(lane)
    return lower(`${service}\n${host}\n${threadLabel(store.lanes.lanes.value(lane))}`).includes(word)
  })
  const isId = /^[0-9a-f]{4,32}$/.test(word)
  return (candidate) => {
    const { store, row } = candidate
    if (inLane(candidate)) return true
    if (isId && (store.columns.spanId(row).startsWith(word) || store.traceOf(row).id.startsWith(word)))
      return true
    return isWritten(candidate) && lower(textOf(candidate.span)).includes(word)
  }
}

type FieldTerm = Extract<Term, { type: 'field' }>

/** What a span has beside its attributes, by name. */
const FIELDS: ReadonlyMap<string, (term: FieldTerm) => Test> = new Map<string, (term: FieldTerm) => Test>([
  [
    'duration',
    (term) =>
      ({ store, row }) =>
        compare(term, store.columns.duration(row)),
  ],
  [
    'name',
    (term) =>
      once(
        ({ store, row }) => store.columns.name[row]!,
        ({ store }, name) => compare(term, store.names.value(name)),
      ),
  ],
  [
    'kind',
    (term) =>
      once(
        ({ store, row }) => store.columns.kind[row]!,
        (_, kind) => compare(term, KINDS[kind]!),
      ),
  ],
  [
    'status',
    (term) =>
      once(
        ({ store, row }) => store.columns.http[row]! * 2 + (isError(store, row) ? 1 : 0),
        ({ store, row }) => {
          const names = [
            statusText(store, row),
            statusClass(store, row),
            isError(store, row) ? 'error' : 'ok',
          ]
          const meets = (name: string) => compare(term, name)
          return term.operator === '!=' ? names.every(meets) : names.some(meets)
        },
      ),
  ],
  ['service', (term) => perLane((store, lane) => compare(term, store.lanes.of(lane).service))],
  ['environment', (term) => perLane((store, lane) => compare(term, store.lanes.of(lane).environment))],
  ['host', (term) => perLane((store, lane) => compare(term, store.lanes.of(lane).host))],
  [
    'thread',
    (term) =>
      perLane((store, lane) => {
        const entry = store.lanes.lanes.value(lane)
        const names = [threadLabel(entry), entry.name, ...(entry.id === null ? [] : [entry.id])]
        return term.operator === '!='
          ? names.every((name) => compare(term, name))
          : names.some((name) => compare(term, name))
      }),
  ],
])

/** Attributes of the span, of its events, or of its resource. */
function attributeTest(term: FieldTerm): Test {
  const hasKey = onWire([new Needle(Buffer.from(term.key))])
  const hasValue = isText(term) ? onWire(textNeedles(term.value)) : () => true
  const meets = (attributes: Readonly<Record<string, AnyValue>>): boolean => {
    const value = Object.hasOwn(attributes, term.key) ? attributes[term.key]! : null
    return value !== null && leaves(value).some((leaf) => compare(term, leaf))
  }
  const inResource = perLane((store, lane) => meets(store.lanes.of(lane).resource.attributes))
  return (candidate) =>
    inResource(candidate) ||
    (hasValue(candidate) &&
      hasKey(candidate) &&
      (meets(candidate.span.attributes) || candidate.span.events.some(({ attributes }) => meets(attributes))))
}

/** Whether only text can be what is asked for, and is on the wire as it is written here. */
function isText({ operator, value, number }: FieldTerm): boolean {
  // Numbers and booleans have other forms; U+FFFD stands for bytes that are no UTF-8.
  const isOther = 'true false'.includes(value) || /^-?infinity$|^nan$|\ufffd/.test(value)
  return operator === '=' && Number.isNaN(number) && !isOther
}

function stateTest(state: State): Test {
  const waits = onWire([new Needle(Buffer.from('threadspan.queue.wait'))])
  switch (state) {
    case 'error':
      return ({ store, row }) => isError(store, row)
    case 'ok':
      return ({ store, row }) => !isError(store, row)
    case 'root':
      return ({ store, row }) => store.columns.up[row]! < 0
    case 'waiting':
      return (candidate) => waits(candidate) && candidate.store.scan(candidate.row).scan.wait > 0
    default:
      return ({ store, row }) => (store.columns.marks[row]! & Mark[state]) !== 0
  }
}

/** Whether one of the needles is in the encoded span. */
function onWire(needles: readonly Needle[]): Test {
  let block = -1
  let possible: readonly Needle[] = []
  return ({ store, row }) => {
    const { signatures } = store
    if (block !== signatures.blockOf(row)) {
      block = signatures.blockOf(row)
      possible = needles.filter(({ hashes }) => signatures.mayHold(block, hashes))
    }
    if (possible.length === 0) return false
    const { bytes, start, end } = store.encoded(row)
    return possible.some((needle) => needle.in(bytes, start, end))
  }
}

/** What is the same for all spans of a lane is worked out once for it. */
function perLane(test: (store: Store, lane: number) => boolean): Test {
  return once(
    ({ lane }) => lane,
    ({ store }, lane) => test(store, lane),
  )
}

/** What is the same for all spans of a small number is worked out once for it. */
function once(
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

function textOf(span: Span): string {
  const text: string[] = [span.name, span.status.message]
  collect(span.attributes, text)
  for (const event of span.events) {
    text.push(event.name)
    collect(event.attributes, text)
  }
  return text.join('\n')
}
