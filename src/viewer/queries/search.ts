import type { AnyValue, Span } from '../../otlp/types.js'
import { compare, lower, parseQuery, type State, type Structure, type Term } from '../query.js'
import { idPrefix, Mark } from '../store/columns.js'
import { keyBit } from '../store/keys.js'
import type { Store } from '../store/store.js'
import type { Trace } from '../store/trace.js'
import { Candidate, once, onWire, perLane, type Test } from './candidate.js'
import { threadLabel } from './columns.js'
import { isKnown, LOOK, mayGoOn, spend } from './effort.js'
import { KINDS } from './kinds.js'
import { Needle, needlesOf, numberNeedles, textNeedles } from './needle.js'
import { collect, leaves } from './plain.js'
import { relationTo } from './relations.js'
import { isError, statusClass, statusText } from './status-text.js'

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
    this.#tests = testsOf(terms)
    this.#structure = structure
    this.#groups = structure?.groups.map(testsOf) ?? []
  }

  /** Whether one span of the trace meets all terms; not where all has been spent that may be (`bounded`), then the next question goes on here. */
  matches(store: Store, trace: Trace): boolean {
    const known = this.#known.get(trace)
    if (known !== undefined && Math.abs(known) === trace.spans) {
      isKnown()
      return known > 0
    }
    if (!mayGoOn()) return false
    spend(LOOK * trace.spans)
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

/** What is told from columns comes first, then attributes and long words: few spans are left for what many have. */
function testsOf(terms: readonly Term[]): Test[] {
  const rank = (term: Term): number => {
    if (term.type === 'state') return 0
    if (term.type === 'field') return FIELDS.has(term.key) ? 0 : 1
    return term.isNot ? 3 : 2 + 1 / (1 + term.text.length)
  }
  return [...terms].sort((a, b) => rank(a) - rank(b)).map(signedTest)
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
  const begins = /^[0-9a-f]{4,32}$/.test(word) ? beginningOfId(word) : undefined
  return (candidate) => {
    if (inLane(candidate) || begins?.(candidate)) return true
    return isWritten(candidate) && lower(textOf(candidate.span)).includes(word)
  }
}

/** As which the id of a span or of its trace begins. Spans of a trace come one after the other. */
function beginningOfId(word: string): Test {
  const isBegin = idPrefix(word)
  let last = -1
  let ofTrace = false
  return ({ store, row }) => {
    const { columns } = store
    if (isBegin(columns.spanHigh[row]!, columns.spanLow[row]!)) return true
    const slot = columns.trace[row]!
    if (slot !== last) {
      last = slot
      ofTrace = store.traceOf(row).id.startsWith(word)
    }
    return ofTrace
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
  const bytes = Buffer.from(term.key)
  const key = [new Needle(bytes)]
  const bit = keyBit(bytes, 0, bytes.length)
  const column = bit < 32 ? 'keysLow' : 'keysHigh'
  const mask = 1 << (bit & 31)
  const forms = formsOf(term)
  const isWritten = forms === undefined ? onWire(key) : onWire(forms, key)
  const meets = (attributes: Readonly<Record<string, AnyValue>>): boolean => {
    const value = Object.hasOwn(attributes, term.key) ? attributes[term.key]! : null
    return value !== null && leaves(value).some((leaf) => compare(term, leaf))
  }
  const inResource = perLane((store, lane) => meets(store.lanes.of(lane).resource.attributes))
  return (candidate) =>
    inResource(candidate) ||
    ((candidate.store.columns[column][candidate.row]! & mask) !== 0 &&
      isWritten(candidate) &&
      (meets(candidate.span.attributes) || candidate.span.events.some(({ attributes }) => meets(attributes))))
}

/** The forms on the wire of the only value that a term asks for, where all of them are known. */
function formsOf({ operator, value, number }: FieldTerm): Needle[] | undefined {
  if (operator !== '=') return undefined
  // What a signature tells nothing of costs more to look for than it saves.
  if (Math.abs(number) < 128) return undefined
  if (!Number.isNaN(number)) return numberNeedles(number, value)
  // Booleans, and doubles that are no numbers, are not text; U+FFFD stands for bytes that are no UTF-8.
  const isOther = 'true false'.includes(value) || /^-?infinity$|^nan$|\ufffd/.test(value)
  return isOther ? undefined : textNeedles(value)
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

function textOf(span: Span): string {
  const text: string[] = [span.name, span.status.message]
  collect(span.attributes, text)
  for (const event of span.events) {
    text.push(event.name)
    collect(event.attributes, text)
  }
  return text.join('\n')
}
