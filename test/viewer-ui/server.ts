import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApiError, Sample, TraceColumns, TraceSummary } from '../../src/viewer/api.js'
import {
  distributionData,
  errorData,
  logsData,
  METRICS,
  mapData,
  metricData,
  PROCESSES,
  SERVICES,
  seriesData,
  statusData,
  TRANSACTIONS,
} from './data.js'
import { bigTrace, detailOf, oddTrace, orderTrace, summaryOf } from './traces.js'

export const ORDER = '0a'.repeat(16)
export const OTHER = '0b'.repeat(16)
export const ODD = '0c'.repeat(16)
export const BIG = '0d'.repeat(16)
export const BIG_SPANS = 100_000
export const BIG_THREADS = 64

/** A server that answers the page with generated data, with the security policy of the real one. */
export interface Fixture {
  readonly url: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  /** Puts a trace in front of the list, and tells those who follow `/api/live`. */
  emit(summary: TraceSummary): void
  /** Makes the server answer as if nothing had arrived. */
  empty: boolean
  close(): Promise<void>
}

/** Serves a built page. */
export async function serve(html: string): Promise<Fixture> {
  const traces = new Map(
    [
      orderTrace(ORDER, 1),
      orderTrace(OTHER, 2, 20),
      oddTrace(ODD),
      bigTrace(BIG, BIG_SPANS, BIG_THREADS),
    ].map((columns) => [columns.traceId, columns] as const),
  )
  const followers = new Set<ServerResponse>()
  const arrived: TraceSummary[] = []
  const policy = [
    "default-src 'none'",
    `script-src ${hashes(html, 'script')}`,
    `style-src ${hashes(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')

  const fixture = { url: '', asked: [] as string[], empty: false }
  const answer = (url: URL): unknown => {
    const [, , first, second, third, fourth] = url.pathname.split('/')
    const { empty } = fixture
    if (first === 'status') return statusData(empty, BIG_SPANS)
    if (first === 'services') return empty ? [] : SERVICES
    if (first === 'processes') return second === undefined ? (empty ? [] : PROCESSES) : PROCESSES[0]
    if (first === 'transactions')
      return empty ? [] : TRANSACTIONS.filter((row) => matches(row, url.searchParams))
    if (first === 'series') return seriesData()
    if (first === 'map') return mapData()
    if (first === 'facets')
      return {
        services: empty ? [] : ['batch', 'shop'],
        environments: [],
        hosts: ['web-1'],
        statuses: ['200', '404'],
      }
    if (first === 'totals') return { now: SERVICES[0], before: null }
    if (first === 'samples')
      return empty
        ? []
        : samplesOf([...traces.values()].map(summaryOf).filter((row) => matches(row, url.searchParams)))
    if (first === 'logs') return logsData(empty)
    if (first === 'distribution') return empty ? { buckets: [], statuses: [], hosts: [] } : distributionData()
    if (first === 'traces') {
      const all = [...arrived, ...[...traces.values()].map(summaryOf)]
      return empty ? [] : all.filter((row) => matches(row, url.searchParams))
    }
    if (first === 'trace' && third === 'span') {
      const columns = traces.get(second!)
      return columns === undefined ? null : detailOf(columns, fourth!)
    }
    if (first === 'trace' && third === 'neighbours')
      return { place: 0, total: 1, previous: null, next: null, slowest: null, failed: null }
    if (first === 'trace' && third === 'search') {
      const columns = traces.get(second!)
      return columns === undefined ? null : { spans: found(columns, url.searchParams.get('search') ?? '') }
    }
    if (first === 'trace') return traces.get(second!) ?? null
    if (first === 'errors') return second === undefined ? (empty ? [] : [errorData(ORDER)]) : errorData(ORDER)
    if (first === 'metrics') {
      return second === undefined ? (empty ? [] : METRICS) : metricData(decodeURIComponent(second))
    }
    if (first === 'import') return { spans: 3, rejected: 0 }
    return null
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    fixture.asked.push(url.pathname + url.search)
    if (url.pathname === '/') {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': policy,
      })
      response.end(html)
    } else if (url.pathname === '/api/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: status\ndata: ${JSON.stringify(statusData(fixture.empty, BIG_SPANS))}\n\n`)
      followers.add(response)
      request.on('close', () => followers.delete(response))
    } else {
      const body = answer(url)
      const error: ApiError = { code: 'THREADSPAN_NOT_FOUND', message: 'This is not in the viewer.' }
      response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body ?? error))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(fixture, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    emit: (summary: TraceSummary) => {
      arrived.unshift(summary)
      for (const response of followers) response.write(`event: trace\ndata: ${JSON.stringify(summary)}\n\n`)
    },
    close: async () => {
      for (const response of followers) response.end()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function samplesOf(summaries: readonly TraceSummary[]): Sample[] {
  return summaries.map(({ traceId, service, name, start, duration, status, failed, spans, threads }) => ({
    ...{ traceId, service, name, start, duration, status, failed, spans, threads },
    spanId: '0000000000000001',
    type: 'request',
    path: '',
    host: 'web-1',
  }))
}

/** As the viewer finds them, by words in names and by `is:waiting`. */
function found({ strings, name, wait }: TraceColumns, search: string): number[] {
  const words = search.toLowerCase().split(' ')
  const meets = (span: number) =>
    words.every((word) =>
      word === 'is:waiting' ? wait[span]! > 0 : strings[name[span]!]!.toLowerCase().includes(word),
    )
  return name.map((_, span) => span).filter(meets)
}

function matches(row: { service: string; name: string }, params: URLSearchParams): boolean {
  const { service = row.service, transaction = row.name } = Object.fromEntries(params)
  return row.service === service && row.name === transaction
}

function hashes(html: string, element: 'script' | 'style'): string {
  return [...html.matchAll(new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, 'g'))]
    .map(([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`)
    .join(' ')
}
