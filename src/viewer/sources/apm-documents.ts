import { attributes, emptySpan } from '../../otlp/decode-common.js'
import { type JsonObject, list, object, text } from '../../otlp/json-read.js'
import type { Attributes, SpanKind } from '../../otlp/types.js'
import { kindOf, microseconds, shortId } from '../formats/values.js'
import type { MadeSpan } from './elasticsearch-documents.js'
import { flat } from './fields.js'

/** Names of attributes that the APM Server writes as labels, with underscores for the dots. */
const LABELS = [
  'thread.id',
  'thread.name',
  'threadspan.queue.wait',
  'threadspan.closed',
  'threadspan.pool',
  'code.function.name',
  'code.file.path',
  'code.line.number',
]

/** Elastic's fields (https://www.elastic.co/docs/reference/ecs), and what OpenTelemetry calls what they say. */
const RESOURCE: Record<string, string> = {
  'service.name': 'service.name',
  'service.version': 'service.version',
  'service.environment': 'deployment.environment.name',
  'service.node.name': 'service.instance.id',
  'service.language.name': 'telemetry.sdk.language',
  'process.pid': 'process.pid',
  'process.title': 'process.executable.name',
  'host.hostname': 'host.name',
  'host.name': 'host.name',
  'container.id': 'container.id',
  'kubernetes.pod.name': 'k8s.pod.name',
}

const SPAN: Record<string, string> = {
  'http.request.method': 'http.request.method',
  'http.response.status_code': 'http.response.status_code',
  'url.full': 'url.full',
  'url.path': 'url.path',
  'span.http.method': 'http.request.method',
  'span.http.response.status_code': 'http.response.status_code',
  'span.http.url.original': 'url.full',
  'span.db.statement': 'db.query.text',
  'span.db.instance': 'db.namespace',
  'span.destination.service.resource': 'peer.service',
  'process.thread.id': 'thread.id',
  'process.thread.name': 'thread.name',
}

/**
 * A transaction or span of Elastic APM (https://www.elastic.co/docs/solutions/observability/apm/data-types).
 * @returns undefined where it is neither.
 * @throws OtlpError
 */
export function apmSpan(source: JsonObject): MadeSpan | undefined {
  const trace = object(source['trace'] ?? {}, 'trace')
  const isSpan = object(source['span'] ?? {}, 'span')['duration'] !== undefined
  const own = object(source[isSpan ? 'span' : 'transaction'] ?? {}, 'transaction')
  if (own['duration'] === undefined || own['id'] === undefined) return undefined
  const fields = flat(source, '_source')
  const span = emptySpan(shortId(trace['id'], 32, 'trace.id'), shortId(own['id'], 16, 'id'))
  span.parentSpanId = shortId(object(source['parent'] ?? {}, 'parent')['id'], 16, 'parent.id')
  span.name = text(own['name'], 'name')
  span.kind = kindOf(own['kind']) || (isSpan ? spanKind(fields) : transactionKind(own))
  span.attributes = renamed(fields, SPAN)
  addLabels(fields, span.attributes)
  addDatabase(own, span.attributes)
  const outcome = fields['event.outcome']
  span.status = { code: outcome === 'failure' ? 2 : 0, message: '' }
  span.links = list(own['links'], 'links', (link) => ({
    traceId: shortId(object(link['trace'] ?? {}, 'trace')['id'], 32, 'trace.id'),
    spanId: shortId(object(link['span'] ?? {}, 'span')['id'], 16, 'span.id'),
    traceState: '',
    attributes: attributes(),
    droppedAttributesCount: 0,
    flags: 0,
  }))
  const { us } = object(own['duration'], 'duration')
  const start = object(source['timestamp'] ?? {}, 'timestamp')['us']
  return {
    span,
    resource: renamed(fields, RESOURCE),
    scope: {
      name: textOf(fields['service.framework.name']),
      version: textOf(fields['service.framework.version']),
    },
    duration: microseconds(us, 'duration.us'),
    ...(start !== undefined && { start: microseconds(start, 'timestamp.us') }),
  }
}

function transactionKind(transaction: JsonObject): SpanKind {
  const type = transaction['type']
  return type === 'request' ? 2 : type === 'messaging' ? 5 : 1
}

/** Spans of calls that leave the process have a destination. */
function spanKind(fields: Attributes): SpanKind {
  if (fields['span.type'] === 'messaging') return 4
  return fields['span.destination.service.resource'] === undefined ? 1 : 3
}

function renamed(fields: Attributes, names: Readonly<Record<string, string>>): Attributes {
  const map = attributes()
  for (const [from, to] of Object.entries(names)) {
    const value = fields[from]
    if (value !== undefined && value !== null) map[to] ??= value
  }
  return map
}

function addLabels(fields: Attributes, to: Attributes): void {
  const known = new Map(LABELS.map((name) => [name.replaceAll('.', '_'), name]))
  for (const [field, value] of Object.entries(fields)) {
    const label = /^(?:numeric_)?labels\.(.+)$/.exec(field)?.[1]
    if (label !== undefined && value !== null) to[known.get(label) ?? label] ??= value
  }
}

function addDatabase(own: JsonObject, to: Attributes): void {
  if (own['type'] === 'db' && typeof own['subtype'] === 'string') {
    to['db.system.name'] ??= text(own['subtype'], 'subtype')
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
