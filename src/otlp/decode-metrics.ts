import { emptyResource, emptyScope, readResource, readScope } from './decode-common.js'
import {
  readExponentialPoint,
  readHistogramPoint,
  readNumberPoint,
  readSummaryPoint,
} from './decode-points.js'
import {
  type Metric,
  type MetricData,
  type MetricsRequest,
  type ResourceMetrics,
  type ScopeMetrics,
  temporality,
} from './metrics-types.js'
import { fields, ProtobufReader } from './protobuf.js'

const REQUEST = fields(1)
const GROUP = fields(1, 2, 3)
const METRIC = fields(1, 2, 3, 5, 7, 9, 10, 11)
const DATA = fields(1, 2, 3)

/**
 * Decodes an `ExportMetricsServiceRequest` of opentelemetry-proto 1.x.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED` as `decodeTraces` does.
 */
export function decodeMetrics(bytes: Uint8Array): MetricsRequest {
  const reader = new ProtobufReader(bytes)
  const resourceMetrics: ResourceMetrics[] = []
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) resourceMetrics.push(readResourceMetrics(reader))
    else reader.skip(tag, REQUEST)
  }
  return { resourceMetrics }
}

function readResourceMetrics(reader: ProtobufReader): ResourceMetrics {
  const group: ResourceMetrics = { resource: emptyResource(), scopeMetrics: [], schemaUrl: '' }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readResource(reader, group.resource)
    else if (tag === 0x12) group.scopeMetrics.push(readScopeMetrics(reader))
    else if (tag === 0x1a) group.schemaUrl = reader.string()
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
  return group
}

function readScopeMetrics(reader: ProtobufReader): ScopeMetrics {
  const group: ScopeMetrics = { scope: emptyScope(), metrics: [], schemaUrl: '' }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readScope(reader, group.scope)
    else if (tag === 0x12) group.metrics.push(readMetric(reader))
    else if (tag === 0x1a) group.schemaUrl = reader.string()
    else reader.skip(tag, GROUP)
  }
  reader.leave(outer)
  return group
}

function readMetric(reader: ProtobufReader): Metric {
  const metric: Metric = { name: '', description: '', unit: '', data: null }
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) metric.name = reader.string()
    else if (tag === 0x12) metric.description = reader.string()
    else if (tag === 0x1a) metric.unit = reader.string()
    else metric.data = readData(reader, tag) ?? metric.data
  }
  reader.leave(outer)
  return metric
}

function readData(reader: ProtobufReader, tag: number): MetricData | undefined {
  switch (tag) {
    case 0x2a:
      return { kind: 'gauge', points: readPoints(reader, readNumberPoint).points }
    case 0x3a:
      return { kind: 'sum', ...readPoints(reader, readNumberPoint) }
    case 0x4a: {
      const { points, temporality } = readPoints(reader, readHistogramPoint)
      return { kind: 'histogram', points, temporality }
    }
    case 0x52: {
      const { points, temporality } = readPoints(reader, readExponentialPoint)
      return { kind: 'exponentialHistogram', points, temporality }
    }
    case 0x5a:
      return { kind: 'summary', points: readPoints(reader, readSummaryPoint).points }
    default:
      reader.skip(tag, METRIC)
      return undefined
  }
}

/** The five data messages differ in their points alone: 1 the points, 2 the temporality, 3 whether it is monotonic. */
function readPoints<T>(reader: ProtobufReader, read: (reader: ProtobufReader) => T) {
  const points: T[] = []
  let kind = 0
  let monotonic = false
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) points.push(read(reader))
    else if (tag === 0x10) kind = reader.uint32()
    else if (tag === 0x18) monotonic = reader.uint32() !== 0
    else reader.skip(tag, DATA)
  }
  reader.leave(outer)
  return { points, temporality: temporality(kind), monotonic }
}
