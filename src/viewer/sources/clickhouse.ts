import { attributes, emptySpan } from '../../otlp/decode-common.js'
import { OtlpError } from '../../otlp/errors.js'
import { parseJson } from '../../otlp/json-parse.js'
import { type JsonObject, nanoseconds, object, text } from '../../otlp/json-read.js'
import type { Attributes, Span } from '../../otlp/types.js'
import { Requests } from '../formats/requests.js'
import { kindOf, shortId, typedText } from '../formats/values.js'
import type { Asker } from './asker.js'
import { flat } from './fields.js'
import { badAnswer, checked, type Pages, type Source, type TraceSearch } from './source.js'

/** Rows that are asked for at once. */
const PAGE = 10_000

/** Most pages of one trace. */
const MAX_PAGES = 100

const NEWLINE = 0x0a

const nano = (column: string) => `toString(toUnixTimestamp64Nano(${column}))`

const SPANS = `SELECT TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
  ScopeVersion, SpanAttributes, ${nano('Timestamp')} AS StartNano, toString(Duration) AS DurationNano, StatusCode, StatusMessage,
  arrayMap(t -> ${nano('t')}, Events.Timestamp) AS EventTimes, Events.Name AS EventNames, Events.Attributes AS EventAttributes,
  Links.TraceId AS LinkTraces, Links.SpanId AS LinkSpans, Links.TraceState AS LinkStates, Links.Attributes AS LinkAttributes
FROM {db:Identifier}.{table:Identifier}
WHERE TraceId IN {ids:Array(String)}
ORDER BY Timestamp, TraceId, SpanId LIMIT {limit:UInt64} OFFSET {offset:UInt64}
FORMAT JSONEachRow`

/**
 * ClickHouse with the table that the OpenTelemetry Collector's `clickhouse` exporter makes, over its HTTP interface
 * (https://clickhouse.com/docs/interfaces/http). Values go as parameters of the query, never as a part of its text, and no setting is
 * changed: a user that may only read is enough. All its attributes are text; those that lanes and charts need as numbers become numbers.
 */
export class ClickHouseSource implements Source {
  readonly name: string

  /** @param table By default `otel_traces`, in the database `default`. */
  constructor(
    private readonly asker: Asker,
    private readonly table: { db: string; table: string },
  ) {
    this.name = asker.name
  }

  async *trace(id: string): Pages {
    yield* this.#traces([id])
  }

  async *search(search: TraceSearch): Pages {
    const ids = await this.#ids(search)
    if (ids.length > 0) yield* this.#traces(ids)
  }

  async #ids({ service, from, to, minDuration, attributes, limit }: TraceSearch): Promise<string[]> {
    const conditions = [
      'Timestamp >= fromUnixTimestamp64Milli({from:Int64})',
      'Timestamp <= fromUnixTimestamp64Milli({to:Int64})',
    ]
    const values: Record<string, string> = {
      from: String(Math.floor(from)),
      to: String(Math.ceil(to)),
      limit: String(limit),
    }
    if (service !== undefined) {
      conditions.push('ServiceName = {service:String}')
      values['service'] = service
    }
    if (minDuration !== undefined) {
      conditions.push('Duration >= {duration:UInt64}')
      values['duration'] = String(Math.round(minDuration * 1e6))
    }
    for (const [i, [key, value]] of attributes.entries()) {
      conditions.push(
        `(SpanAttributes[{key${i}:String}] = {value${i}:String} OR ResourceAttributes[{key${i}:String}] = {value${i}:String})`,
      )
      values[`key${i}`] = key
      values[`value${i}`] = value
    }
    const rows = await this.#query(
      `SELECT TraceId FROM {db:Identifier}.{table:Identifier} WHERE ${conditions.join(' AND ')}
GROUP BY TraceId ORDER BY max(Timestamp) DESC LIMIT {limit:UInt64} FORMAT JSONEachRow`,
      values,
    )
    const ids = checked(this.name, () => rows.map((row) => text(row['TraceId'], 'TraceId')))
    return ids.filter((id) => /^[0-9a-f]{1,32}$/i.test(id)).slice(0, limit)
  }

  async *#traces(ids: readonly string[]): Pages {
    const list = `[${ids.map((id) => `'${id}'`).join(',')}]`
    for (let page = 0; ; page++) {
      if (page === MAX_PAGES) throw badAnswer(this.name, `it has more than ${MAX_PAGES * PAGE} spans of this`)
      const rows = await this.#query(SPANS, { ids: list, limit: String(PAGE), offset: String(page * PAGE) })
      yield checked(this.name, () => {
        const requests = new Requests()
        for (const row of rows) readRow(row, requests)
        return requests.take()
      })
      if (rows.length < PAGE) return
    }
  }

  /** @param values Parameters of the query, in ClickHouse's escaped form where they are no numbers. */
  async #query(sql: string, values: Record<string, string>): Promise<JsonObject[]> {
    const query: Record<string, string> = {}
    for (const [key, value] of Object.entries({ ...this.table, ...values })) {
      query[`param_${key}`] = key === 'ids' ? value : escaped(value)
    }
    const reply = await this.asker.ask({
      path: '',
      query,
      body: { type: 'text/plain; charset=utf-8', text: sql },
    })
    if (reply.status !== 200) throw this.asker.refused(reply)
    return checked(this.name, () => readLines(reply.body))
  }
}

/** Parameters come as in tab-separated text: https://clickhouse.com/docs/interfaces/http#cli-queries-with-parameters */
function escaped(text: string): string {
  return text.replace(/[\\'\t\n\r\0]/g, (letter) => ESCAPES[letter]!)
}

const ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
}

/** @throws OtlpError where a line is no object: an error that came after the first rows is text. */
function readLines(body: Buffer): JsonObject[] {
  const rows: JsonObject[] = []
  for (let at = 0; at < body.length; ) {
    const newline = body.indexOf(NEWLINE, at)
    const end = newline < 0 ? body.length : newline
    if (end > at) rows.push(object(parseJson(body.subarray(at, end)), 'row'))
    if (rows.length > PAGE) throw new OtlpError(`it answered with more than ${PAGE} rows`)
    at = end + 1
  }
  return rows
}

function readRow(row: JsonObject, into: Requests): void {
  const span = emptySpan(shortId(row['TraceId'], 32, 'TraceId'), shortId(row['SpanId'], 16, 'SpanId'))
  span.parentSpanId = shortId(row['ParentSpanId'], 16, 'ParentSpanId')
  span.traceState = text(row['TraceState'], 'TraceState')
  span.name = text(row['SpanName'], 'SpanName')
  span.kind = kindOf(row['SpanKind'])
  span.startTimeUnixNano = nanoseconds(row['StartNano'], 'StartNano')
  span.endTimeUnixNano = span.startTimeUnixNano + nanoseconds(row['DurationNano'], 'DurationNano')
  span.attributes = typed(row['SpanAttributes'], 'SpanAttributes')
  const code = text(row['StatusCode'], 'StatusCode').toLowerCase()
  span.status = {
    code: code.endsWith('error') ? 2 : code.endsWith('ok') ? 1 : 0,
    message: text(row['StatusMessage'], 'StatusMessage'),
  }
  readEvents(row, span)
  readLinks(row, span)
  const resource = typed(row['ResourceAttributes'], 'ResourceAttributes')
  resource['service.name'] ??= text(row['ServiceName'], 'ServiceName')
  const scope = {
    name: text(row['ScopeName'], 'ScopeName'),
    version: text(row['ScopeVersion'], 'ScopeVersion'),
  }
  into.add({ resource, scope }, span)
}

function readEvents(row: JsonObject, span: Span): void {
  const [times, names, maps] = columnsOf(row, 'EventTimes', 'EventNames', 'EventAttributes')
  for (const [i, time] of times!.entries()) {
    span.events.push({
      timeUnixNano: nanoseconds(time, 'EventTimes'),
      name: text(names![i], 'EventNames'),
      attributes: typed(maps![i], 'EventAttributes'),
      droppedAttributesCount: 0,
    })
  }
}

function readLinks(row: JsonObject, span: Span): void {
  const [traces, spans, states, maps] = columnsOf(
    row,
    'LinkTraces',
    'LinkSpans',
    'LinkStates',
    'LinkAttributes',
  )
  for (const [i, trace] of traces!.entries()) {
    span.links.push({
      traceId: shortId(trace, 32, 'LinkTraces'),
      spanId: shortId(spans![i], 16, 'LinkSpans'),
      traceState: text(states![i], 'LinkStates'),
      attributes: typed(maps![i], 'LinkAttributes'),
      droppedAttributesCount: 0,
      flags: 0,
    })
  }
}

function columnsOf(row: JsonObject, ...names: string[]): unknown[][] {
  return names.map((name) => {
    const column = row[name] ?? []
    if (!Array.isArray(column)) throw new OtlpError(`${name} is not an array`)
    return column as unknown[]
  })
}

function typed(value: unknown, field: string): Attributes {
  const map = attributes()
  for (const [key, each] of Object.entries(flat(value, field))) {
    map[key] = typeof each === 'string' ? typedText(key, each) : each
  }
  return map
}
