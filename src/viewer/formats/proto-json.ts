import { OtlpError } from '../../otlp/errors.js'
import { type JsonObject, list, object, text } from '../../otlp/json-read.js'
import { kindOf } from './values.js'

/**
 * The trace data of a server that writes OTLP by the plain JSON mapping of Protocol Buffers, or under other names, as OTLP/JSON has it: ids
 * in base64 become hexadecimal, names of enum values become numbers, `batches` (Grafana Tempo) becomes `resourceSpans`.
 *
 * @returns undefined where it is no trace data.
 * @throws OtlpError where a field has a type that neither mapping allows.
 */
export function traceDataOf(json: JsonObject): { resourceSpans: unknown[] } | undefined {
  // Jaeger's `/api/v3` answers `{ result }`, Tempo's `/api/v2` `{ trace }`.
  const inner = json['result'] ?? json['trace']
  const data =
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as JsonObject) : json
  const groups = data['resourceSpans'] ?? data['batches']
  if (groups === undefined) return undefined
  return { resourceSpans: list(groups, 'resourceSpans', readGroup) }
}

function readGroup(group: JsonObject): unknown {
  const inner = group['scopeSpans'] ?? group['instrumentationLibrarySpans']
  return {
    ...group,
    scopeSpans: list(inner, 'scopeSpans', (one) => ({
      ...one,
      scope: one['scope'] ?? one['instrumentationLibrary'],
      spans: list(one['spans'], 'spans', readSpan),
    })),
  }
}

function readSpan(span: JsonObject): unknown {
  const status = object(span['status'] ?? {}, 'status')
  return {
    ...span,
    traceId: idOf(span['traceId'], 16, 'traceId'),
    spanId: idOf(span['spanId'], 8, 'spanId'),
    parentSpanId: idOf(span['parentSpanId'], 8, 'parentSpanId'),
    kind: typeof span['kind'] === 'string' ? kindOf(span['kind']) : span['kind'],
    status: { ...status, code: codeOf(status['code']) },
    links: list(span['links'], 'links', (link) => ({
      ...link,
      traceId: idOf(link['traceId'], 16, 'traceId'),
      spanId: idOf(link['spanId'], 8, 'spanId'),
    })),
  }
}

/** An id in hexadecimal, which has twice as many digits as bytes, or in base64, which has fewer. */
function idOf(value: unknown, bytes: 8 | 16, field: string): string {
  const id = text(value, field)
  if (id === '' || (id.length === bytes * 2 && /^[0-9a-f]+$/i.test(id))) return id
  const decoded = Buffer.from(id, 'base64')
  if (decoded.length !== bytes) throw new OtlpError(`${field} is no id`)
  return decoded.toString('hex')
}

function codeOf(code: unknown): unknown {
  if (typeof code !== 'string') return code
  return code === 'STATUS_CODE_OK' ? 1 : code === 'STATUS_CODE_ERROR' ? 2 : 0
}
