import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, encodeKeyValues, encodeResource, encodeScope, lengthDelimited } from '#dist/otlp/encode.js'
import { encodeSpan } from '#dist/otlp/encode-span.js'
import { bounded } from '#dist/viewer/queries/effort.js'
import { Search } from '#dist/viewer/queries/search.js'
import { traces } from '#dist/viewer/queries/traces.js'
import { compare, lower, parseQuery } from '#dist/viewer/query.js'
import { Store } from '#dist/viewer/store/store.js'
import type { AnyValue, Span } from '../../src/otlp/types.js'
import { span } from './support.js'

type Term = ReturnType<typeof parseQuery>['terms'][number]

let seed = 5
function below(limit: number): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return (seed >>> 8) % limit
}
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!

const WORDS = [
  'Checkout',
  'pay',
  'ÄRGER',
  'u7',
  'x',
  'SELECT orders',
  'a.b',
  'naïve',
  '€',
  'true',
  'queue.wait',
  '',
]
const NUMBERS = [0, -0, 7, 127, 128, 404, -1, -300, 0.5, 1e15, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]
const INTEGERS = [0n, 7n, 404n, -1n, 2n ** 53n + 1n, -(2n ** 62n)]
const word = () => (below(15) === 0 ? `rare${below(60)}` : pick(WORDS) + (below(4) === 0 ? pick(WORDS) : ''))
const KEYS = ['user.id', 'User.Id', 'n', 'http.response.status_code', 'list', 'a.b', 'threadspan.queue.wait']

function value(): AnyValue {
  switch (below(8)) {
    case 0:
      return pick(NUMBERS)
    case 1:
      return pick(INTEGERS)
    case 2:
      return below(2) === 0
    case 3:
      return [word(), below(600), below(2) === 0]
    case 4:
      return below(600)
    case 5:
      return Buffer.from(word())
    default:
      return below(6) === 0 ? String(pick(NUMBERS)) : word()
  }
}
const some = (most: number) =>
  Object.fromEntries(Array.from({ length: below(most) }, () => [pick(KEYS), value()]))

/** A search as people write them, of up to three terms. */
function search(): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '')}"`
  const term = (): string => {
    const sign = below(5) === 0 ? '-' : ''
    const asked = pick([
      word(),
      String(pick(NUMBERS)),
      String(pick(INTEGERS)),
      String(below(600)),
      'false',
      '1e2',
    ])
    switch (below(6)) {
      case 0:
        return `${sign}is:${pick(['error', 'ok', 'root', 'orphan', 'waiting', 'transaction'])}`
      case 1:
        return `${sign}${pick(['name', 'kind', 'status', 'service', 'thread'])}${pick(['=', '!='])}${quoted(pick([asked, 'span 3', 'server', '5xx', '404', 'error', 's1', 'main']))}`
      case 2:
        return `${sign}${pick(KEYS)}${pick(['>', '<=', '>=', '<'])}${pick(NUMBERS.filter(Number.isFinite))}`
      case 3:
        return below(8) === 0 ? `${sign}duration>${below(12)}ms` : quoted(pick([word(), 'false', 'rare7']))
      default:
        return `${sign}${pick(KEYS)}${pick(['=', '=', '=', '!='])}${quoted(asked)}`
    }
  }
  const terms = () => Array.from({ length: 1 + below(3) }, term).join(' ')
  if (below(4) > 0) return terms()
  const count = below(3) === 0 ? ` | count() ${pick(['>', '=', '<'])} ${below(4)}` : ''
  return `{ ${term()} } ${pick(['>', '>>', '~'])} { ${below(2) === 0 ? '' : term()} }${count}`
}

interface Known {
  span: Span
  service: string
  parent: Known | undefined
  isOrphan: boolean
}

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer']

const numberOf = (value: AnyValue | undefined) =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0

/** All text of a value, and its values as terms compare them. */
function flat(value: AnyValue): { text: string[]; leaves: (string | number)[] } {
  if (value === null || value instanceof Uint8Array) return { text: [], leaves: [] }
  if (Array.isArray(value)) {
    const all = value.map(flat)
    return { text: all.flatMap(({ text }) => text), leaves: all.flatMap(({ leaves }) => leaves) }
  }
  return { text: [String(value)], leaves: [typeof value === 'number' ? value : String(value)] }
}

/** What the search looks up in columns and bytes, from the span as it was sent. */
function meets(term: Term, { span: one, service, parent, isOrphan }: Known): boolean {
  const maps = [one.attributes, ...one.events.map(({ attributes }) => attributes)]
  const http = [one.attributes['http.response.status_code']]
    .map(numberOf)
    .find((code) => code > 0 && code < 1000 && Number.isInteger(code))
  const isError = one.status.code === 2 || (one.kind === 2 && (http ?? 0) >= 500)
  const test = (): boolean => {
    if (term.type === 'state') {
      const wait = one.attributes['threadspan.queue.wait']
      const states: Record<string, boolean> = {
        error: isError,
        ok: !isError,
        root: parent === undefined,
        orphan: isOrphan,
        waiting: numberOf(wait) > 0,
        transaction: one.parentSpanId === '' || one.kind === 2 || one.kind === 5,
      }
      return states[term.state]!
    }
    if (term.type === 'text') {
      const text = [one.name, one.status.message, ...one.events.map(({ name }) => name)]
      for (const map of maps)
        for (const [key, inner] of Object.entries(map)) text.push(key, ...flat(inner).text)
      const sender = lower([service, '', 'process'].join('\n'))
      const isId = /^[0-9a-f]{4,32}$/.test(term.text)
      if (isId && (one.traceId.startsWith(term.text) || one.spanId.startsWith(term.text))) return true
      return sender.includes(term.text) || lower(text.join('\n')).includes(term.text)
    }
    const among = (values: (string | number)[]) =>
      term.operator === '!='
        ? values.every((each) => compare(term, each))
        : values.some((each) => compare(term, each))
    const duration = Number(one.endTimeUnixNano - one.startTimeUnixNano) / 1e6
    if (term.key === 'duration') return compare(term, duration)
    if (term.key === 'name') return compare(term, one.name)
    if (term.key === 'kind') return compare(term, KINDS[one.kind]!)
    if (term.key === 'service') return compare(term, service)
    if (term.key === 'thread') return among(['process', ''])
    if (term.key === 'status') {
      const plain = isError ? 'error' : 'ok'
      return among(http === undefined ? [plain, plain] : [String(http), `${Math.floor(http / 100)}xx`, plain])
    }
    return maps.some(
      (map) =>
        Object.hasOwn(map, term.key) && flat(map[term.key]!).leaves.some((leaf) => compare(term, leaf)),
    )
  }
  return test() !== term.isNot
}

/** The spans of a trace that a search finds, by looking at each of them. */
function found(text: string, spans: readonly Known[]): Known[] {
  const { terms, structure } = parseQuery(text)
  const all = (wanted: readonly Term[]) => spans.filter((one) => wanted.every((term) => meets(term, one)))
  if (structure === undefined) return all(terms)
  let last = all(structure.groups[0]!)
  for (const [i, relation] of structure.relations.entries()) {
    const others = new Set(last)
    const isBelow = (one: Known): boolean =>
      one.parent !== undefined && (others.has(one.parent) || (relation !== '>' && isBelow(one.parent)))
    const isBeside = (one: Known) =>
      one.parent !== undefined && last.some((other) => other !== one && other.parent === one.parent)
    last = all(structure.groups[i + 1]!).filter(relation === '~' ? isBeside : isBelow)
  }
  return structure.count === undefined || compare(structure.count, last.length) ? last : []
}

describe('searches', () => {
  it('find what looking at each span finds, whatever they ask for and however spans are encoded', () => {
    const store = new Store({ maxSpans: 2000, maxBytes: 2 ** 28 })
    const sent = new Map<string, Known[]>()
    for (let number = 1; number <= 500; number++) {
      const service = `s${below(3)}`
      const known: Known[] = []
      const encoded = Array.from({ length: 1 + below(15) }, (_, i) => {
        const parent = i === 0 || below(12) === 0 ? undefined : pick(known)
        const isOrphan = parent === undefined && below(4) === 0
        const attributes = some(5)
        const events =
          below(4) > 0
            ? []
            : [{ timeUnixNano: 1n, name: word(), attributes: some(3), droppedAttributesCount: 0 }]
        const one = span(number, number * 1000 + i, 0, {
          parentSpanId: parent?.span.spanId ?? (isOrphan ? 'ffffffffffffffff' : ''),
          name: pick([word(), `span ${below(9)}`]),
          kind: (1 + below(5)) as Span['kind'],
          lasts: below(15),
          attributes: below(3) === 0 ? {} : attributes,
          events: events as Span['events'],
          status: { code: below(6) === 0 ? 2 : 0, message: below(9) === 0 ? word() : '' },
        })
        const bytes = encodeSpan(one)
        // Fields may come in any order: some attributes before the ids.
        const isOdd = Object.keys(one.attributes).length === 0
        if (isOdd) one.attributes = attributes
        known.push({ span: one, service, parent, isOrphan })
        return lengthDelimited(0x12, isOdd ? concat([encodeKeyValues(0x4a, attributes, 0), bytes]) : bytes)
      })
      const scopeSpans = concat([lengthDelimited(0x0a, encodeScope('tests')), ...encoded])
      const resource = lengthDelimited(0x0a, encodeResource({ 'service.name': service }))
      store.ingest(lengthDelimited(0x0a, concat([resource, lengthDelimited(0x12, scopeSpans)])))
      sent.set(known[0]!.span.traceId, known)
    }
    store.settle()
    assert.ok(store.evicted.traces > 100)
    let finds = 0
    for (let i = 0; i < 500; i++) {
      const text = search()
      if (parseQuery(text).problems.length > 0) continue
      const made = new Search(text)
      for (const trace of store.traces.values()) {
        const rows = [...store.rows(trace)]
        const ids = new Set(found(text, sent.get(trace.id)!).map(({ span: one }) => one.spanId))
        assert.equal(made.matches(store, trace), ids.size > 0, `${text} in ${trace.id}`)
        if (i % 10 > 0) continue
        const places = new Search(text).places(store, rows).map((place) => store.columns.spanId(rows[place]!))
        assert.deepEqual(new Set(places), ids, text)
        finds += ids.size
      }
    }
    assert.ok(finds > 1000)
  })

  /** A store with so many traces of twenty spans. */
  function filled(traces: number) {
    const store = new Store({ maxSpans: traces * 20, maxBytes: 2 ** 30 })
    for (let number = 1; number <= traces; number++) {
      const spans = Array.from({ length: 20 }, (_, i) =>
        span(number, 0xabc00000 + number * 100 + i, i === 0 ? 0 : 0xabc00000 + number * 100, {
          attributes: i === 0 ? { 'user.id': number } : { 'queue.size': i },
        }),
      )
      const scope = concat([
        lengthDelimited(0x0a, encodeScope('tests')),
        ...spans.map((one) => lengthDelimited(0x12, encodeSpan(one))),
      ])
      const resource = lengthDelimited(0x0a, encodeResource({ 'service.name': 's' }))
      store.ingest(lengthDelimited(0x0a, concat([resource, lengthDelimited(0x12, scope)])))
    }
    store.settle()
    return store
  }

  it('find ids by any beginning of them', () => {
    const store = filled(30)
    const [trace] = store.traces.values()
    const rows = [...store.rows(trace!)]
    const ids = rows.map((row) => store.columns.spanId(row))
    for (const id of [ids[3]!, trace!.id])
      for (let length = 4; length <= id.length; length++) {
        const word = id.slice(0, length)
        const expected = trace!.id.startsWith(word) ? ids : ids.filter((each) => each.startsWith(word))
        const places = new Search(word).places(store, rows)
        assert.deepEqual(
          places.map((place) => ids[place]),
          expected,
          word,
        )
      }
  })

  it('answer of the newest first where they may not spend more, go on where they are asked again, and end with all', () => {
    const store = filled(400)
    for (const search of ['queue.size>18', 'size', '-user.id>3', '{ user.id>0 } > { queue.size=7 }']) {
      const all = traces(store, { search, limit: 1000, sort: 'start', order: 'asc' })
      // The findings are kept for a search; this one is another, with the same meaning.
      const again = { search: `${search} `, limit: 1000, sort: 'start', order: 'asc' } as const
      const shares: number[] = []
      for (let turn = 0; turn < 100; turn++) {
        const { value, searched } = bounded(() => traces(store, again), 10_000)
        shares.push(searched)
        if (turn === 0) assert.deepEqual(value.rows, all.rows.slice(all.rows.length - value.rows.length))
        if (searched === 1) {
          assert.deepEqual(value.rows, all.rows)
          break
        }
      }
      assert.ok(shares.length > 2 && shares.at(-1) === 1, `${search}: ${shares}`)
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => a - b),
      )
    }
    assert.equal(bounded(() => traces(store, { search: 'size  ' })).searched, 1)
    assert.equal(bounded(() => traces(store, {}), 1).searched, 1)
  })
})
