import { concat, encodeResource, encodeScope, lengthDelimited } from './encode.js'
import { encodeSpan } from './encode-span.js'
import { readSpan } from './json.js'
import { type JsonObject, list, object, resource, scope, text } from './json-read.js'

/** Bytes of spans that are put into one request. */
const BATCH = 1024 * 1024

/** Most spans of a request: an empty one takes few bytes, and much memory until it is put there. */
const MOST_SPANS = 10_000

/**
 * Encodes OTLP/JSON trace data as protobuf, a span at a time: objects of all spans at once would take many times the memory of the
 * text. What holds no span is left out.
 *
 * @returns Encoded `ExportTraceServiceRequest`s, in order.
 * @throws OtlpError `THREADSPAN_OTLP_MALFORMED`, by the rules of `tracesFromJson`.
 */
export function encodeJsonTraces(value: unknown): Uint8Array[] {
  const requests: Uint8Array[] = []
  list(object(value, 'request')['resourceSpans'], 'resourceSpans', (group) => {
    const origin = encodeResourceOf(group['resource'])
    const schema = encodeSchema(group)
    list(group['scopeSpans'], 'scopeSpans', (inner) => {
      const own = encodeScopeOf(inner['scope'])
      const innerSchema = encodeSchema(inner)
      let spans: Uint8Array[] = []
      let size = 0
      const flush = () => {
        if (spans.length === 0) return
        const scopeSpans = lengthDelimited(0x12, concat([own, ...spans, ...innerSchema]))
        requests.push(lengthDelimited(0x0a, concat([origin, scopeSpans, ...schema])))
        spans = []
        size = 0
      }
      list(inner['spans'], 'spans', (json) => {
        const span = lengthDelimited(0x12, encodeSpan(readSpan(json)))
        spans.push(span)
        size += span.length
        if (size >= BATCH || spans.length === MOST_SPANS) flush()
      })
      flush()
    })
  })
  return requests
}

function encodeResourceOf(json: unknown): Uint8Array {
  const { attributes, droppedAttributesCount } = resource(json)
  return lengthDelimited(0x0a, encodeResource(attributes, uint32(droppedAttributesCount)))
}

function encodeScopeOf(json: unknown): Uint8Array {
  const { name, version, attributes, droppedAttributesCount } = scope(json)
  return lengthDelimited(0x0a, encodeScope(name, version, attributes, uint32(droppedAttributesCount)))
}

function encodeSchema(json: JsonObject): Uint8Array[] {
  const url = text(json['schemaUrl'], 'schemaUrl')
  return url === '' ? [] : [lengthDelimited(0x1a, Buffer.from(url))]
}

/** JSON may hold counts that no count can be. */
function uint32(value: number): number {
  return value >= 0 && value < 2 ** 32 ? value : 0
}
