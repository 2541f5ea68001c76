/**
 * An OTLP/HTTP receiver that shares no code with the package: `node:http` and the message definitions that OpenTelemetry
 * generates from its .proto files.
 */
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'

const require = createRequire(import.meta.url)
// Not compiled: programs that are not use it as well. Tests run from the root.
const { LogsRequest } = (await import(pathToFileURL(resolve('test/support/logs-proto.js')).href)) as {
  LogsRequest: Reader
}

export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: number
  /** Nanoseconds since the epoch. */
  start: bigint
  end: bigint
  flags: number
  attributes: Record<string, unknown>
  status: { code: number; message: string }
  events: { name: string; attributes: Record<string, unknown> }[]
  links: { traceId: string; spanId: string }[]
  resource: Record<string, unknown>
  scope: string
}

/** A point of a metric, and what that says. */
export interface ReceivedPoint {
  name: string
  unit: string
  kind: 'sum' | 'gauge' | 'histogram'
  /** Of a histogram, its sum. */
  value: number
  /** Whether the value came as a double. */
  isDouble: boolean
  histogram?: { count: number; min?: number; max?: number; buckets: number[]; bounds: number[] }
  /** Nanoseconds since the epoch. */
  start: bigint
  time: bigint
  isMonotonic: boolean
  /** 1 is delta, 2 cumulative, 0 what a gauge has. */
  temporality: number
  attributes: Record<string, unknown>
  exemplars: { value: number; time: bigint; traceId: string; spanId: string }[]
  resource: Record<string, unknown>
  scope: string
}

/** A log record. */
export interface ReceivedLog {
  /** Nanoseconds since the epoch. */
  time: bigint
  observed: bigint
  severity: number
  level: string
  body: unknown
  attributes: Record<string, unknown>
  traceId: string
  spanId: string
  flags: number
  eventName: string
  dropped: number
  resource: Record<string, unknown>
  scope: string
}

interface Reader {
  decode(bytes: Uint8Array): unknown
  toObject(message: unknown, options: object): unknown
}

interface RawValue {
  kvlistValue?: { values?: { key: string; value?: RawValue }[] }
  bytesValue?: string
  stringValue?: string
  intValue?: string
  doubleValue?: number
  boolValue?: boolean
  arrayValue?: { values?: RawValue[] }
}
type RawAttributes = { key: string; value?: RawValue }[] | undefined
interface RawSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name?: string
  kind?: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  flags?: number
  attributes?: RawAttributes
  status?: { code?: number; message?: string }
  events?: { name?: string; attributes?: RawAttributes }[]
  links?: { traceId: string; spanId: string }[]
}
interface RawResourceSpans {
  resource?: { attributes?: RawAttributes }
  scopeSpans?: { scope?: { name?: string }; spans?: RawSpan[] }[]
}

interface RawLog {
  timeUnixNano?: string
  observedTimeUnixNano?: string
  severityNumber?: number
  severityText?: string
  body?: RawValue
  attributes?: RawAttributes
  droppedAttributesCount?: number
  traceId?: string
  spanId?: string
  flags?: number
  eventName?: string
}
interface RawResourceLogs {
  resource?: { attributes?: RawAttributes }
  scopeLogs?: { scope?: { name?: string }; logRecords?: RawLog[] }[]
}

interface RawPoint {
  asInt?: string
  asDouble?: number
  startTimeUnixNano?: string
  timeUnixNano: string
  attributes?: RawAttributes
  count?: string
  sum?: number
  min?: number
  max?: number
  bucketCounts?: string[]
  explicitBounds?: number[]
  exemplars?: { asDouble?: number; timeUnixNano: string; traceId: string; spanId: string }[]
}
interface RawData {
  dataPoints: RawPoint[]
  aggregationTemporality?: number
  isMonotonic?: boolean
}
interface RawMetric {
  name: string
  unit?: string
  sum?: RawData
  gauge?: RawData
  histogram?: RawData
}
interface RawResourceMetrics {
  resource?: { attributes?: RawAttributes }
  scopeMetrics?: { scope?: { name?: string }; metrics?: RawMetric[] }[]
}

function definitions(signal: 'trace' | 'metrics'): Reader {
  // The package exports no definitions; they lie beside what it does export.
  const entry = require.resolve('@opentelemetry/otlp-definitions')
  const root = require(entry.replace(/index\.js$/, 'generated/root.js'))
  const { v1 } = root.opentelemetry.proto.collector[signal]
  return v1.ExportTraceServiceRequest ?? v1.ExportMetricsServiceRequest
}

function plainValue(value: RawValue | undefined): unknown {
  if (value === undefined) return undefined
  if (value.intValue !== undefined) return Number(value.intValue)
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue)
  if (value.kvlistValue !== undefined) return attributesOf(value.kvlistValue.values)
  if (value.bytesValue !== undefined) return Buffer.from(value.bytesValue, 'base64')
  return value.stringValue ?? value.doubleValue ?? value.boolValue
}

function attributesOf(list: RawAttributes): Record<string, unknown> {
  return Object.fromEntries((list ?? []).map(({ key, value }) => [key, plainValue(value)]))
}

function hexOf(base64: string | undefined): string {
  return base64 === undefined ? '' : Buffer.from(base64, 'base64').toString('hex')
}

/** The spans of an `ExportTraceServiceRequest`. */
export function decodeRequest(bytes: Uint8Array): ReceivedSpan[] {
  const reader = definitions('trace')
  const request = reader.toObject(reader.decode(bytes), { longs: String, bytes: String }) as {
    resourceSpans?: RawResourceSpans[]
  }
  return (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    (scopeSpans ?? []).flatMap(({ scope, spans }) =>
      (spans ?? []).map((span) => ({
        traceId: hexOf(span.traceId),
        spanId: hexOf(span.spanId),
        parentSpanId: hexOf(span.parentSpanId),
        name: span.name ?? '',
        kind: span.kind ?? 0,
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        flags: span.flags ?? 0,
        attributes: attributesOf(span.attributes),
        status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
        events: (span.events ?? []).map((event) => ({
          name: event.name ?? '',
          attributes: attributesOf(event.attributes),
        })),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({
          traceId: hexOf(traceId),
          spanId: hexOf(spanId),
        })),
        resource: attributesOf(resource?.attributes),
        scope: scope?.name ?? '',
      })),
    ),
  )
}

/** The records of an `ExportLogsServiceRequest`. */
export function decodeLogs(bytes: Uint8Array): ReceivedLog[] {
  const request = LogsRequest.toObject(LogsRequest.decode(bytes), { longs: String, bytes: String }) as {
    resourceLogs?: RawResourceLogs[]
  }
  return (request.resourceLogs ?? []).flatMap(({ resource, scopeLogs }) =>
    (scopeLogs ?? []).flatMap(({ scope, logRecords }) =>
      (logRecords ?? []).map((log) => ({
        time: BigInt(log.timeUnixNano ?? 0),
        observed: BigInt(log.observedTimeUnixNano ?? 0),
        severity: log.severityNumber ?? 0,
        level: log.severityText ?? '',
        body: plainValue(log.body),
        attributes: attributesOf(log.attributes),
        traceId: hexOf(log.traceId),
        spanId: hexOf(log.spanId),
        flags: log.flags ?? 0,
        eventName: log.eventName ?? '',
        dropped: log.droppedAttributesCount ?? 0,
        resource: attributesOf(resource?.attributes),
        scope: scope?.name ?? '',
      })),
    ),
  )
}

/** The points of an `ExportMetricsServiceRequest`. */
export function decodePoints(bytes: Uint8Array): ReceivedPoint[] {
  const reader = definitions('metrics')
  const request = reader.toObject(reader.decode(bytes), { longs: String, bytes: String }) as {
    resourceMetrics?: RawResourceMetrics[]
  }
  return (request.resourceMetrics ?? []).flatMap(({ resource, scopeMetrics }) =>
    (scopeMetrics ?? []).flatMap(({ scope, metrics }) =>
      (metrics ?? []).flatMap(({ name, unit, sum, gauge, histogram }) => {
        const data = (sum ?? gauge ?? histogram)!
        return data.dataPoints.map(
          (point): ReceivedPoint => ({
            name,
            unit: unit ?? '',
            kind: sum !== undefined ? 'sum' : gauge !== undefined ? 'gauge' : 'histogram',
            value: Number(point.asInt ?? point.asDouble ?? point.sum),
            isDouble: point.asDouble !== undefined,
            ...(histogram === undefined ? {} : { histogram: histogramOf(point) }),
            start: BigInt(point.startTimeUnixNano ?? 0),
            time: BigInt(point.timeUnixNano),
            isMonotonic: data.isMonotonic ?? false,
            temporality: data.aggregationTemporality ?? 0,
            attributes: attributesOf(point.attributes),
            exemplars: (point.exemplars ?? []).map(({ asDouble, timeUnixNano, traceId, spanId }) => ({
              value: asDouble!,
              time: BigInt(timeUnixNano),
              traceId: hexOf(traceId),
              spanId: hexOf(spanId),
            })),
            resource: attributesOf(resource?.attributes),
            scope: scope?.name ?? '',
          }),
        )
      }),
    ),
  )
}

function histogramOf({ count, min, max, bucketCounts, explicitBounds }: RawPoint) {
  return {
    count: Number(count),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    buckets: (bucketCounts ?? []).map(Number),
    bounds: explicitBounds ?? [],
  }
}

export class Receiver {
  readonly spans: ReceivedSpan[] = []
  /** Called with the bytes of each request, unpacked. */
  arrived?: (bytes: Buffer) => void
  /** Of each request with metrics. */
  readonly metrics: ReceivedPoint[][] = []
  readonly logs: ReceivedLog[] = []
  /** Answers by path that are not 200. */
  readonly answers: Record<string, number> = {}
  requests = 0

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer()
    const receiver = new Receiver(server)
    server.on('request', (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const body = Buffer.concat(parts)
        const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
        receiver.requests++
        receiver.arrived?.(bytes)
        const status = receiver.answers[request.url ?? ''] ?? 200
        if (status === 200) {
          if (request.url?.endsWith('/v1/logs')) receiver.logs.push(...decodeLogs(bytes))
          else if (request.url?.endsWith('/v1/metrics')) receiver.metrics.push(decodePoints(bytes))
          else receiver.spans.push(...decodeRequest(bytes))
        }
        response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name)
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}
