/**
 * Durations of requests and calls, by OpenTelemetry's semantic conventions for HTTP and database client metrics (stable); and of what pools do.
 */
import {
  type Attributes,
  type Context,
  type Histogram,
  type MeterProvider,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api'
import { isMeasuredKind, type MeasurableSpan, POOL } from '../recorder/measured.js'

/** @param duration In milliseconds. */
export type MeasureSpan = (span: MeasurableSpan, duration: number) => void

const HTTP_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const DATABASE_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** What of a span's attributes is of low cardinality, and the conventions want. */
const SERVER = new Set([
  'http.request.method',
  'url.scheme',
  'http.response.status_code',
  'http.route',
  'error.type',
  'network.protocol.version',
])
const CLIENT = new Set([
  'http.request.method',
  'server.address',
  'server.port',
  'http.response.status_code',
  'error.type',
  'network.protocol.version',
])
const DATABASE = new Set([
  'db.system.name',
  'db.namespace',
  'db.collection.name',
  'db.operation.name',
  'db.response.status_code',
  'error.type',
  'server.address',
  'server.port',
])
const SERVER_KIND = 2

/** @param isListened Whether surfacers are told, who want to know of which transaction. */
export function measureDurations(
  provider: MeterProvider,
  version: string,
  isListened: () => boolean,
): MeasureSpan {
  const meter = provider.getMeter('threadspan/durations', version)
  const histogram = (name: string, description: string, bounds: number[]): Histogram =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: bounds } })
  const server = histogram('http.server.request.duration', 'Duration of HTTP server requests.', HTTP_BOUNDS)
  const client = histogram('http.client.request.duration', 'Duration of HTTP client requests.', HTTP_BOUNDS)
  const database = histogram(
    'db.client.operation.duration',
    'Duration of database client operations.',
    DATABASE_BOUNDS,
  )
  const task = histogram(
    'threadspan.pool.task.duration',
    'Time from the submission of a task to its outcome, as its submitter sees it.',
    HTTP_BOUNDS,
  )
  const wait = histogram(
    'threadspan.pool.task.wait_time',
    'Time from the submission of a task to its start in a worker.',
    DATABASE_BOUNDS,
  )
  const run = histogram('threadspan.pool.task.run_time', 'Time that a task runs in a worker.', HTTP_BOUNDS)
  const pools: MeasureSpan = (span, duration) => {
    const { attributes = [], name } = span
    const context = isListened() ? trace.setSpan(ROOT_CONTEXT, span) : undefined
    const about: Attributes = { 'threadspan.task': name.slice(name.indexOf(' ') + 1) }
    for (let i = 0; i < attributes.length; i += 2) {
      const key = attributes[i] as string
      if (key === POOL || key === 'error.type') about[key] = attributes[i + 1]!
    }
    if (attributes[0] === POOL) {
      task.record(duration / 1e3, about, context)
      return
    }
    wait.record((attributes[1] as number) / 1e3, about, context)
    run.record(duration / 1e3, about, context)
  }
  return (span, duration) => {
    if (!isMeasuredKind(span.kind)) {
      pools(span, duration)
      return
    }
    const isServer = span.kind === SERVER_KIND
    const isDatabase = !isServer && has(span, 'db.system.name')
    if (!isDatabase && !has(span, 'http.request.method')) return
    const wanted = isServer ? SERVER : isDatabase ? DATABASE : CLIENT
    const to = isServer ? server : isDatabase ? database : client
    const context: Context | undefined = isListened() ? trace.setSpan(ROOT_CONTEXT, span) : undefined
    to.record(duration / 1e3, picked(span, wanted), context)
  }
}

function has({ attributes = [] }: MeasurableSpan, name: string): boolean {
  for (let i = 0; i < attributes.length; i += 2) if (attributes[i] === name) return true
  return false
}

function picked({ attributes = [] }: MeasurableSpan, wanted: ReadonlySet<string>): Attributes {
  const result: Attributes = {}
  for (let i = 0; i < attributes.length; i += 2) {
    const key = attributes[i] as string
    if (wanted.has(key)) result[key] = attributes[i + 1]!
  }
  return result
}
