import { validateHeaderName, validateHeaderValue } from 'node:http'
import { parsePairs } from '../config/pairs.js'
import type { Environment } from '../config/variables.js'
import type { Source, TraceSearch } from '../viewer/sources/source.js'
import { duration, usageError, wholeNumber } from './usage.js'

/** What of a source is read, as `threadspan view` is given it. */
export interface SourceArguments {
  trace?: string[] | undefined
  service?: string | undefined
  since?: string | undefined
  'min-duration'?: string | undefined
  attribute?: string[] | undefined
  limit?: string | undefined
}

/** Without `--since`: an hour. */
const SINCE = 3_600_000

const LIMIT = 20
const MOST = 1000

/** Ids of traces, and the search that is made without any. */
export interface SourceWish {
  /** 32 hexadecimal digits each. */
  traces: string[]
  search: TraceSearch | undefined
}

/** @throws ThreadspanError `THREADSPAN_CLI_USAGE` */
export function readWish(values: SourceArguments): SourceWish {
  const traces = (values.trace ?? []).map((id) => {
    if (!/^[0-9a-f]{1,32}$/i.test(id) || /^0+$/.test(id)) {
      throw usageError(`--trace must be an id of at most 32 hexadecimal digits, not "${id}"`)
    }
    return id.toLowerCase().padStart(32, '0')
  })
  const { service, since, limit, attribute = [] } = values
  const minimum = values['min-duration']
  if (traces.length > 0) {
    const search = [service, since, limit, minimum, ...attribute].find((value) => value !== undefined)
    if (search !== undefined) throw usageError('--trace names what is read: it goes with no search')
    return { traces, search: undefined }
  }
  const to = Date.now()
  return {
    traces,
    search: {
      from: to - (since === undefined ? SINCE : duration('--since', since)),
      to,
      limit: limit === undefined ? LIMIT : wholeNumber('--limit', limit, 1, MOST),
      attributes: attribute.map(readAttribute),
      ...(service !== undefined && { service }),
      ...(minimum !== undefined && { minDuration: duration('--min-duration', minimum) }),
    },
  }
}

function readAttribute(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw usageError(`--attribute must be key=value, not "${text}"`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/**
 * The headers that let the viewer into a source: `THREADSPAN_FROM_HEADERS`, in the form of `OTEL_EXPORTER_OTLP_HEADERS`, and
 * `THREADSPAN_FROM_USER` with `THREADSPAN_FROM_PASSWORD`. Values are never in a message.
 *
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`
 */
export function readCredentials(env: Environment): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  const { entries, malformed } = parsePairs(env['THREADSPAN_FROM_HEADERS'] ?? '')
  if (malformed > 0)
    throw usageError('THREADSPAN_FROM_HEADERS must be a list of "name=value", with commas between')
  const user = env['THREADSPAN_FROM_USER'] ?? ''
  const password = env['THREADSPAN_FROM_PASSWORD'] ?? ''
  if (user !== '' || password !== '') {
    headers['authorization'] = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  }
  for (const [name, value] of entries) {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      throw usageError('THREADSPAN_FROM_HEADERS has a name or value that no HTTP header can have')
    }
    headers[name.toLowerCase()] = value
  }
  return headers
}

/** Everything of a wish, with what it is called in a message. */
export function* pagesOf(source: Source, wish: SourceWish) {
  for (const id of wish.traces) yield { what: `trace ${id}`, pages: source.trace(id) }
  if (wish.search !== undefined) yield { what: 'traces', pages: source.search(wish.search) }
}
