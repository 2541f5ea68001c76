import { ThreadspanError } from '../../core/errors.js'
import { parseJson } from '../../otlp/json-parse.js'
import { Asker, type AskerOptions } from './asker.js'
import { ClickHouseSource } from './clickhouse.js'
import { ElasticsearchSource } from './elasticsearch.js'
import { JaegerSource } from './jaeger.js'
import { badAnswer, type Source } from './source.js'
import { TempoSource } from './tempo.js'

/** What kinds of sources there are, as the beginning of a URL names them: `tempo+http://…`. */
export const SOURCE_KINDS = ['jaeger', 'tempo', 'elasticsearch', 'clickhouse'] as const

type Kind = (typeof SOURCE_KINDS)[number]

const URL_FORM = new RegExp(`^(?:(${SOURCE_KINDS.join('|')})\\+)?(https?://.+)$`, 'i')

/** Index patterns of Elasticsearch, and identifiers of ClickHouse. */
const INDEX = /^[\p{L}\p{N}_.*,:<>{}+-]{1,500}$/u

/** A source's URL, taken apart. */
export interface SourceAddress {
  /** Undefined where the server is to be asked. */
  kind: Kind | undefined
  base: URL
  /** Indices of Elasticsearch. */
  index: string | undefined
  /** Table of ClickHouse. */
  table: string | undefined
}

/**
 * Reads a source's URL: `https://…`, or `jaeger+https://…`, `tempo+…`, `elasticsearch+…`, `clickhouse+…`. `?index=` names other indices of
 * Elasticsearch; the path is ClickHouse's database, and `?table=` its table.
 *
 * @throws ThreadspanError `THREADSPAN_SOURCE_URL`
 */
export function sourceAddress(address: string): SourceAddress {
  const form = URL_FORM.exec(address)
  if (form === null || !URL.canParse(form[2]!)) {
    const forms = SOURCE_KINDS.map((kind) => `${kind}+https://`).join(', ')
    throw badUrl(`it must begin with http:// or https://, or one of ${forms}`)
  }
  const url = new URL(form[2]!)
  if (url.username !== '' || url.password !== '') {
    throw badUrl(
      'credentials do not belong there, where other users can read them: give them by THREADSPAN_FROM_USER and THREADSPAN_FROM_PASSWORD, or THREADSPAN_FROM_HEADERS',
    )
  }
  const { searchParams } = url
  for (const [key, value] of searchParams) {
    if (key !== 'index' && key !== 'table') throw badUrl('of parameters it may have "index" and "table"')
    if (!INDEX.test(value)) throw badUrl(`"${key}" is no name`)
  }
  // As a URL of its own, a path that begins with two slashes would name another server.
  const base = new URL(url)
  base.search = ''
  base.hash = ''
  return {
    kind: form[1]?.toLowerCase() as Kind | undefined,
    base,
    index: searchParams.get('index') ?? undefined,
    table: searchParams.get('table') ?? undefined,
  }
}

/**
 * Opens a source by its URL, as `sourceAddress` reads it.
 *
 * @throws ThreadspanError `THREADSPAN_SOURCE_URL`, `THREADSPAN_SOURCE_UNREACHABLE`, `THREADSPAN_SOURCE_ANSWER`
 */
export async function openSource(address: string, options: AskerOptions = {}): Promise<Source> {
  const { kind, base, index, table } = sourceAddress(address)
  switch (kind ?? (await kindOf(base, options))) {
    case 'jaeger':
      return new JaegerSource(new Asker('Jaeger', base, options))
    case 'tempo':
      return new TempoSource(new Asker('Tempo', base, options))
    case 'elasticsearch':
      return new ElasticsearchSource(new Asker('Elasticsearch', base, options), index)
    case 'clickhouse': {
      const db = base.pathname.replace(/^\/|\/$/g, '') || 'default'
      if (!/^[\w.-]{1,200}$/.test(db)) throw badUrl('its path is no name of a database')
      return new ClickHouseSource(new Asker('ClickHouse', new URL('/', base), options), {
        db,
        table: table ?? 'otel_traces',
      })
    }
  }
}

/** Asks a server what it is, by what only that one answers. */
async function kindOf(base: URL, options: AskerOptions): Promise<Kind> {
  const asker = new Asker('The source', base, options)
  const root = new Asker('The source', new URL('/', base), options)
  const [front, ping, echo, services] = await Promise.all([
    asker.ask({ path: '' }),
    root.ask({ path: 'ping' }),
    asker.ask({ path: 'api/echo' }),
    asker.ask({ path: 'api/services' }),
  ])
  if (ping.status === 200 && ping.body.toString() === 'Ok.\n') return 'clickhouse'
  if (echo.status === 200 && echo.body.toString().trim() === 'echo') return 'tempo'
  if (front.status === 200 && has(front.body, 'version')) return 'elasticsearch'
  if (services.status === 200 && has(services.body, 'data')) return 'jaeger'
  const forms = SOURCE_KINDS.map((kind) => `${kind}+${base.protocol}//`).join(', ')
  throw badAnswer(asker.name, `it is none of those that are known: say which by ${forms}`)
}

function has(body: Buffer, key: string): boolean {
  try {
    const json = parseJson(body)
    return typeof json === 'object' && json !== null && key in json
  } catch {
    return false
  }
}

function badUrl(why: string): ThreadspanError {
  return new ThreadspanError('THREADSPAN_SOURCE_URL', `--from is no source that can be read: ${why}`)
}
