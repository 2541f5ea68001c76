import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ImportResult, Status } from './api.js'
import { gather } from './data.js'
import { type Export, exportOf } from './exports/export.js'
import { EXPORT_FORMATS, isExportFormat } from './exports/format.js'
import type { Live } from './live.js'
import { traceColumns } from './queries/columns.js'
import { spanDetail } from './queries/detail.js'
import { bounded } from './queries/effort.js'
import type { Errors } from './queries/errors.js'
import { facets } from './queries/facets.js'
import { parseFilter } from './queries/filter.js'
import { logs } from './queries/logs.js'
import { serviceMap } from './queries/map.js'
import { metricRows, metricSeries } from './queries/metrics.js'
import { Paged } from './queries/paging.js'
import { processDetail, processes } from './queries/processes.js'
import { distribution, series } from './queries/series.js'
import { neighbours, samples, searchTrace, traces } from './queries/traces.js'
import { services, totals, transactions } from './queries/transactions.js'
import { decompressor } from './receiver/body.js'
import { readData } from './receiver/data-file.js'
import { HttpError } from './receiver/http-error.js'
import type { Sink } from './receiver/sink.js'
import type { OnDemand } from './sources/on-demand.js'
import type { Trace } from './store/trace.js'

/** What the API answers from. */
export interface ApiContext {
  sink: Sink
  errors: Errors
  live: Live
  status(): Status
  /** Brings traces that are looked for and not held. */
  onDemand: OnDemand | undefined
}

type Handler = (context: ApiContext, query: URLSearchParams, ...parts: string[]) => unknown

const TRACE_ID = '([0-9a-f]{32})'
const SPAN_ID = '([0-9a-f]{16})'

const GET: [RegExp, Handler][] = [
  [/^\/api\/status$/, (context) => context.status()],
  [/^\/api\/services$/, ({ sink }, query) => services(sink.store, parseFilter(query))],
  [/^\/api\/transactions$/, ({ sink }, query) => transactions(sink.store, parseFilter(query))],
  [/^\/api\/processes$/, ({ sink }, query) => processes(sink.store, sink.metrics, parseFilter(query))],
  [
    /^\/api\/processes\/([^/]+)$/,
    ({ sink }, query, name) =>
      processDetail(sink.store, sink.metrics, decodeName(name!, 'process'), parseFilter(query)) ??
      missing('process'),
  ],
  [/^\/api\/totals$/, ({ sink }, query) => totals(sink.store, parseFilter(query))],
  [/^\/api\/map$/, ({ sink }, query) => serviceMap(sink.store, parseFilter(query))],
  [/^\/api\/facets$/, ({ sink }) => facets(sink.store, sink.metrics, sink.logs)],
  [/^\/api\/samples$/, ({ sink }, query) => samples(sink.store, parseFilter(query))],
  [/^\/api\/logs$/, ({ sink }, query) => logs(sink.store, sink.logs, parseFilter(query), query.get('trace'))],
  [/^\/api\/series$/, ({ sink }, query) => series(sink.store, parseFilter(query))],
  [/^\/api\/distribution$/, ({ sink }, query) => distribution(sink.store, parseFilter(query))],
  [/^\/api\/traces$/, ({ sink }, query) => traces(sink.store, parseFilter(query))],
  [new RegExp(`^/api/trace/${TRACE_ID}$`), ({ sink }, _, id) => traceColumns(sink.store, find(sink, id!))],
  [
    new RegExp(`^/api/trace/${TRACE_ID}/span/${SPAN_ID}$`),
    ({ sink, errors }, _, id, span) =>
      spanDetail({ store: sink.store, logs: sink.logs, errors }, find(sink, id!), span!) ?? missing('span'),
  ],
  [
    new RegExp(`^/api/trace/${TRACE_ID}/neighbours$`),
    ({ sink }, query, id) => neighbours(sink.store, find(sink, id!), query.get('sample'), parseFilter(query)),
  ],
  [
    new RegExp(`^/api/trace/${TRACE_ID}/search$`),
    ({ sink }, query, id) => searchTrace(sink.store, find(sink, id!), parseFilter(query)),
  ],
  [/^\/api\/errors$/, ({ errors }, query) => errors.list(parseFilter(query))],
  [
    /^\/api\/errors\/([0-9a-f]{16})$/,
    ({ errors }, query, fingerprint) =>
      errors.detail(fingerprint!, parseFilter(query)) ?? missing('error group'),
  ],
  [/^\/api\/metrics$/, ({ sink }, query) => metricRows(sink.metrics, parseFilter(query))],
  [
    /^\/api\/metrics\/([^/]+)$/,
    ({ sink }, query, name) => {
      const entry = sink.metrics.byName.get(decodeName(name!, 'metric'))
      return entry === undefined ? missing('metric') : metricSeries(entry, parseFilter(query))
    },
  ],
]

const ANY_TRACE = new RegExp(`^/api/trace/${TRACE_ID}(?:/|$)`)
const EXPORT = new RegExp(`^/api/trace/${TRACE_ID}/export$`)

/**
 * Answers a request for a path under `/api`, as `api.ts` describes.
 * @throws HttpError for the caller to answer with `answerError`, as long as nothing has been sent.
 */
export async function answerApi(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const { pathname, searchParams } = url
  if (pathname === '/api/import') return importData(context, request, response)
  if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed(response, 'GET')
  if (pathname === '/api/live') {
    if (request.method !== 'GET') throw notAllowed(response, 'GET')
    context.live.listen(response)
    return
  }
  const id = ANY_TRACE.exec(pathname)?.[1]
  if (id !== undefined && context.sink.store.trace(id) === undefined) await context.onDemand?.bring(id)
  const wanted = EXPORT.exec(pathname)
  if (wanted !== null || pathname === '/api/export') {
    const trace = wanted === null ? undefined : find(context.sink, wanted[1]!)
    return answerExport(context.sink, trace, searchParams.get('format') ?? 'otlp', request, response)
  }
  for (const [path, handler] of GET) {
    const match = path.exec(pathname)
    if (match === null) continue
    const parts = match.slice(1)
    // A list can do with a part at first; one thing is there or not.
    const most = parts.length === 0 ? undefined : Number.POSITIVE_INFINITY
    const { value, searched } = bounded(() => handler(context, searchParams, ...parts), most)
    if (searched < 1) response.setHeader('x-searched', searched.toFixed(4))
    answerJson(response, 200, value, request.method === 'HEAD')
    return
  }
  missing('path')
}

/** An answer of the API: never kept by the browser, since the store changes all the time. */
export function answerJson(response: ServerResponse, status: number, value: unknown, head = false): void {
  const body = Buffer.from(JSON.stringify(value instanceof Paged ? value.rows : value))
  if (value instanceof Paged) response.setHeader('x-total-count', value.total)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  })
  response.end(head ? undefined : body)
}

async function importData(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') throw notAllowed(response, 'POST')
  const decoder = decompressor(request)
  if (decoder !== undefined) request.on('error', (error) => decoder.destroy(error)).pipe(decoder)
  const { spans, rejected, unread, format } = await readData(decoder ?? request, context.sink).catch(
    (error: Error) => {
      throw new HttpError(400, 'THREADSPAN_IMPORT', `The file cannot be read: ${error.message}`, 'malformed')
    },
  )
  const result: ImportResult = { spans, rejected: rejected + unread, ...(format && { format }) }
  answerJson(response, 200, result)
}

async function answerExport(
  { store }: Sink,
  trace: Trace | undefined,
  format: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isExportFormat(format)) {
    const known = EXPORT_FORMATS.map((name) => `"${name}"`).join(', ')
    throw new HttpError(400, 'THREADSPAN_EXPORT_FORMAT', `The parameter "format" must be one of ${known}`)
  }
  const { type, extension, pieces }: Export = exportOf(store, format, trace)
  const name = trace === undefined ? 'traces' : `trace-${trace.id}`
  response.writeHead(200, {
    'content-type': type,
    'content-disposition': `attachment; filename="${name}${extension}"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  if (request.method === 'HEAD') response.end()
  else await pipeline(Readable.from(gather(pieces)), response)
}

function find(sink: Sink, id: string): Trace {
  return sink.store.trace(id) ?? missing('trace')
}

function missing(what: string): never {
  throw new HttpError(404, 'THREADSPAN_NOT_FOUND', `There is no such ${what}`)
}

function notAllowed(response: ServerResponse, method: string): HttpError {
  response.setHeader('allow', method)
  return new HttpError(405, 'THREADSPAN_METHOD', `Only ${method} is allowed here`)
}

function decodeName(name: string, what: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return missing(what)
  }
}
