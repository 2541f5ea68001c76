import { OtlpError } from '../../otlp/errors.js'
import { type JsonObject, list, object, text } from '../../otlp/json-read.js'
import { Requests } from '../formats/requests.js'
import type { Asker } from './asker.js'
import { Documents } from './elasticsearch-documents.js'
import { badAnswer, checked, type Pages, type Source, type TraceSearch } from './source.js'

/** Documents that are asked for at once. */
const PAGE = 1000

/** Most pages of one question: a server that never ends must not be read for ever. */
const MAX_PAGES = 1000

/** How long the server keeps its place between two pages. */
const KEEP = '1m'

const NOTHING_MISSING = { ignore_unavailable: 'true', allow_no_indices: 'true' }

/** Indices of spans, and of their events; names, patterns and lists of them. */
export const DEFAULT_INDEX = 'traces-*,logs-*'

/**
 * Elasticsearch (or OpenSearch) with what the OpenTelemetry Collector's exporter writes in its mapping `otel`, which EDOT uses, and with
 * what the APM Server writes for Elastic's own agents and for OTLP.
 */
export class ElasticsearchSource implements Source {
  readonly name: string
  readonly #search: string

  /** @param index Where spans and their events are, by default `traces-*,logs-*`. */
  constructor(
    private readonly asker: Asker,
    index = DEFAULT_INDEX,
  ) {
    this.name = asker.name
    this.#search = `${encodeURIComponent(index)}/_search`
  }

  async *trace(id: string): Pages {
    yield* this.#traces([id])
  }

  async *search(search: TraceSearch): Pages {
    const ids = await this.#ids(search)
    if (ids.length > 0) yield* this.#traces(ids)
  }

  /** The latest traces that meet a search. */
  async #ids(search: TraceSearch): Promise<string[]> {
    const latest = { latest: { max: { field: '@timestamp' } } }
    const byTrace = (field: string) => ({
      terms: { field, size: search.limit, order: { latest: 'desc' } },
      aggs: latest,
    })
    const body = {
      size: 0,
      query: { bool: { filter: filtersOf(search) } },
      // The two mappings name the field in their own ways.
      aggs: { otel: byTrace('trace_id'), apm: byTrace('trace.id') },
    }
    const json = await this.#post(this.#search, NOTHING_MISSING, body)
    return checked(this.name, () => {
      const found = new Map<string, number>()
      const { aggregations } = json
      // None where no index is there.
      if (aggregations === undefined) return []
      for (const name of ['otel', 'apm']) {
        const { buckets } = object(object(aggregations, 'aggregations')[name] ?? {}, name)
        for (const bucket of list(buckets, 'buckets', (one) => one)) {
          const at = object(bucket['latest'] ?? {}, 'latest')['value']
          found.set(text(bucket['key'], 'key'), typeof at === 'number' ? at : 0)
        }
      }
      return [...found]
        .sort(([, a], [, b]) => b - a)
        .map(([id]) => id)
        .filter((id) => /^[0-9a-f]{32}$/.test(id))
        .slice(0, search.limit)
    })
  }

  async *#traces(ids: readonly string[]): Pages {
    const documents = new Documents()
    const either = [{ terms: { trace_id: ids } }, { terms: { 'trace.id': ids } }]
    const any = { bool: { should: either, minimum_should_match: 1 } }
    // What spans say of themselves is told by documents of their own, and has to be there before the span is.
    const isEvent = {
      bool: {
        should: [{ exists: { field: 'event_name' } }, { term: { 'processor.event': 'error' } }],
        minimum_should_match: 1,
      },
    }
    for await (const hits of this.#scroll({ bool: { filter: [any, isEvent] } })) {
      checked(this.name, () => {
        for (const hit of hits) documents.addEvent(hit)
      })
    }
    for await (const hits of this.#scroll({ bool: { filter: [any], must_not: [isEvent] } })) {
      yield checked(this.name, () => {
        const requests = new Requests()
        for (const hit of hits) documents.addSpan(hit, requests)
        return requests.take()
      })
    }
  }

  async *#scroll(query: unknown): AsyncGenerator<JsonObject[]> {
    const body = {
      size: PAGE,
      query,
      sort: ['_doc'],
      // The source may hold the time in any of several forms; this is one, and exact.
      fields: [{ field: '@timestamp', format: 'strict_date_optional_time_nanos' }],
    }
    let json = await this.#post(this.#search, { ...NOTHING_MISSING, scroll: KEEP }, body)
    let scroll: string | undefined
    try {
      for (let page = 0; ; page++) {
        const { hits, next } = checked(this.name, () => readPage(json))
        scroll = next ?? scroll
        if (hits.length > 0) yield hits
        if (hits.length < PAGE || next === undefined) return
        if (page === MAX_PAGES)
          throw badAnswer(this.name, `it has more than ${MAX_PAGES * PAGE} documents of this`)
        json = await this.#post('_search/scroll', {}, { scroll: KEEP, scroll_id: next })
      }
    } finally {
      if (scroll !== undefined) await this.#forget(scroll)
    }
  }

  /** Lets the server forget its place, which it would keep for a minute. */
  async #forget(scroll: string): Promise<void> {
    const body = { type: 'application/json', text: JSON.stringify({ scroll_id: scroll }) }
    await this.asker.ask({ path: '_search/scroll', method: 'DELETE', body }).catch(() => {})
  }

  async #post(path: string, query: Record<string, string>, body: unknown): Promise<JsonObject> {
    const json = await this.asker.json({
      path,
      query,
      body: { type: 'application/json', text: JSON.stringify(body) },
    })
    return checked(this.name, () => {
      const answer = object(json, 'answer')
      const { failed } = object(answer['_shards'] ?? {}, '_shards')
      if (answer['timed_out'] === true || (typeof failed === 'number' && failed > 0)) {
        throw badAnswer(this.name, 'only a part of it answered: some shards have failed, or took too long')
      }
      return answer
    })
  }
}

function readPage(json: JsonObject): { hits: JsonObject[]; next: string | undefined } {
  const next = json['_scroll_id']
  if (next !== undefined && typeof next !== 'string') throw new OtlpError('_scroll_id is not a string')
  const hits = list(object(json['hits'] ?? {}, 'hits')['hits'], 'hits', (hit) => hit)
  // A page is what was asked for, or the server is not what it seems to be.
  if (hits.length > PAGE) throw new OtlpError(`hits has more than ${PAGE} elements`)
  return { hits, next }
}

/** What a search asks for, in the fields of both mappings. */
function filtersOf({ service, from, to, minDuration, attributes }: TraceSearch): unknown[] {
  const anyOf = (...should: unknown[]) => ({ bool: { should, minimum_should_match: 1 } })
  const range = {
    gte: new Date(from).toISOString(),
    lte: new Date(to).toISOString(),
    format: 'strict_date_optional_time',
  }
  const filters: unknown[] = [{ range: { '@timestamp': range } }]
  const term = (field: string, value: string) => ({ term: { [field]: value } })
  if (service !== undefined) {
    filters.push(anyOf(term('resource.attributes.service.name', service), term('service.name', service)))
  }
  if (minDuration !== undefined) {
    filters.push(
      anyOf(
        { range: { duration: { gte: Math.round(minDuration * 1e6) } } },
        { range: { 'transaction.duration.us': { gte: Math.round(minDuration * 1000) } } },
        { range: { 'span.duration.us': { gte: Math.round(minDuration * 1000) } } },
      ),
    )
  }
  for (const [key, value] of attributes) {
    const label = key.replaceAll('.', '_')
    const fields = [`attributes.${key}`, `resource.attributes.${key}`, `labels.${label}`, key]
    const should = fields.map((field) => term(field, value))
    if (Number.isFinite(Number(value))) should.push(term(`numeric_labels.${label}`, value))
    filters.push(anyOf(...should))
  }
  return filters
}
