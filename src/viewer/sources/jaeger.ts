import { type JsonObject, list, object, text } from '../../otlp/json-read.js'
import { encodeJsonTraces } from '../../otlp/json-traces.js'
import { jaegerSpans } from '../formats/jaeger.js'
import { traceDataOf } from '../formats/proto-json.js'
import { Requests } from '../formats/requests.js'
import type { Asker, Question, Reply } from './asker.js'
import { badAnswer, checked, type Pages, type Source, type TraceSearch } from './source.js'

/** Most services that are named where one has to be chosen. */
const MOST_NAMED = 20

/**
 * Jaeger's query service (https://www.jaegertracing.io/docs/latest/architecture/apis/): `/api/v3`, which answers OTLP with nanoseconds, and where
 * a version lacks it, or a search is for attributes, the JSON of its UI with microseconds.
 */
export class JaegerSource implements Source {
  readonly name: string

  constructor(private readonly asker: Asker) {
    this.name = asker.name
  }

  async *trace(id: string): Pages {
    const path = `traces/${id}`
    const reply = await this.#ask({ path: `api/v3/${path}`, query: { raw_traces: 'true' } })
    if (isOfThisApi(reply)) yield* this.#otlp(reply)
    else yield* this.#own(await this.#ask({ path: `api/${path}`, query: { raw: 'true' } }))
  }

  async *search(search: TraceSearch): Pages {
    const service = search.service ?? (await this.#onlyService())
    if (search.attributes.length === 0) {
      const reply = await this.#ask({ path: 'api/v3/traces', query: newQuery(service, search) })
      if (isOfThisApi(reply)) {
        yield* this.#otlp(reply)
        return
      }
    }
    yield* this.#own(await this.#ask({ path: 'api/traces', query: oldQuery(service, search) }))
  }

  #ask(question: Question): Promise<Reply> {
    return this.asker.ask({ accept: 'application/json', ...question })
  }

  async *#otlp(reply: Reply): Pages {
    // Its way to say that there are none.
    if (reply.status === 404) return
    const json = this.asker.parse(reply)
    yield checked(this.name, () => {
      const data = traceDataOf(object(json, 'answer'))
      return data === undefined ? [] : encodeJsonTraces(data)
    })
  }

  async *#own(reply: Reply): Pages {
    if (reply.status === 404) return
    const json = this.asker.parse(reply)
    yield checked(this.name, () => {
      const { data } = object(json, 'answer')
      const requests = new Requests()
      list(data, 'data', (trace: JsonObject) => jaegerSpans(trace, requests))
      return requests.take()
    })
  }

  /** Jaeger searches within a service. @throws ThreadspanError where there are several. */
  async #onlyService(): Promise<string> {
    const json = await this.asker.json({ path: 'api/services' })
    const services = checked(this.name, () => {
      const { data } = object(json, 'answer')
      return (Array.isArray(data) ? data : []).map((name) => text(name, 'data'))
    })
    if (services.length === 1) return services[0]!
    const names = services.slice(0, MOST_NAMED).map((name) => JSON.stringify(name))
    const known = services.length === 0 ? 'it knows none' : `it knows ${names.join(', ')}`
    throw badAnswer(this.name, `it searches within one service: give it by --service; ${known}`)
  }
}

/** Whether an answer is that of an API, and not of the page that Jaeger has everywhere else. */
function isOfThisApi({ status, body, type }: Reply): boolean {
  // Its errors are JSON under the type of a text.
  if (status === 404) return body.toString('latin1', 0, 1) === '{'
  return !(status === 405 || status === 501 || type === 'text/html')
}

function newQuery(service: string, { from, to, limit, minDuration }: TraceSearch): Record<string, string> {
  return {
    'query.service_name': service,
    'query.start_time_min': new Date(from).toISOString(),
    'query.start_time_max': new Date(to).toISOString(),
    'query.search_depth': String(limit),
    'query.num_traces': String(limit),
    'query.raw_traces': 'true',
    ...(minDuration !== undefined && { 'query.duration_min': `${minDuration}ms` }),
  }
}

function oldQuery(service: string, search: TraceSearch): Record<string, string> {
  const { from, to, limit, minDuration, attributes } = search
  return {
    service,
    start: String(Math.round(from * 1000)),
    end: String(Math.round(to * 1000)),
    limit: String(limit),
    raw: 'true',
    ...(minDuration !== undefined && { minDuration: `${minDuration}ms` }),
    ...(attributes.length > 0 && { tags: JSON.stringify(Object.fromEntries(attributes)) }),
  }
}
