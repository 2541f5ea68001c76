import { list, object } from '../../otlp/json-read.js'
import { encodeJsonTraces } from '../../otlp/json-traces.js'
import { traceDataOf } from '../formats/proto-json.js'
import { shortId } from '../formats/values.js'
import type { Asker } from './asker.js'
import { checked, type Pages, type Source, type TraceSearch } from './source.js'

/** Grafana Tempo (https://grafana.com/docs/tempo/latest/api_docs/): its search tells ids, and each trace is asked for by its own. */
export class TempoSource implements Source {
  readonly name: string

  constructor(private readonly asker: Asker) {
    this.name = asker.name
  }

  async *trace(id: string): Pages {
    // Its JSON is not quite OTLP's; its protobuf is.
    const reply = await this.asker.ask({ path: `api/traces/${id}`, accept: 'application/protobuf' })
    if (reply.status === 404) return
    if (reply.status === 200 && reply.type === 'application/protobuf') {
      yield [reply.body]
      return
    }
    const json = this.asker.parse(reply)
    yield checked(this.name, () => {
      const data = traceDataOf(object(json, 'answer'))
      return data === undefined ? [] : encodeJsonTraces(data)
    })
  }

  async *search(search: TraceSearch): Pages {
    const query = {
      q: traceQl(search),
      limit: String(search.limit),
      start: String(Math.floor(search.from / 1000)),
      end: String(Math.ceil(search.to / 1000)),
    }
    const json = await this.asker.json({ path: 'api/search', query })
    const ids = checked(this.name, () =>
      list(object(json, 'answer')['traces'], 'traces', (one) => shortId(one['traceID'], 32, 'traceID')),
    )
    for (const id of new Set(ids.slice(0, search.limit))) if (id !== '') yield* this.trace(id)
  }
}

/** @see https://grafana.com/docs/tempo/latest/traceql/construct-traceql-queries/ */
function traceQl({ service, minDuration, attributes }: TraceSearch): string {
  const conditions: string[] = []
  if (service !== undefined) conditions.push(`resource.service.name = ${quoted(service)}`)
  if (minDuration !== undefined) conditions.push(`traceDuration >= ${minDuration}ms`)
  for (const [key, value] of attributes) {
    // Versions before 2.4 know no quoted names.
    const field = /^[\w.\-/]+$/.test(key) ? `.${key}` : `.${quoted(key)}`
    const text = `${field} = ${quoted(value)}`
    // A value of another type never equals a text.
    const isOther = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(value) || value === 'true' || value === 'false'
    conditions.push(isOther ? `(${text} || ${field} = ${value})` : text)
  }
  return `{ ${conditions.join(' && ')} }`
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
