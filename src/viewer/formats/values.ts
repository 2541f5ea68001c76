import { attributes } from '../../otlp/decode-common.js'
import { OtlpError } from '../../otlp/errors.js'
import { text } from '../../otlp/json-read.js'
import type { AnyValue, Attributes, Span, SpanKind } from '../../otlp/types.js'

// Readers of values that other formats than OTLP have.

/** Deepest nesting of attribute values that is kept. */
const MAX_DEPTH = 16

const KINDS: ReadonlyMap<string, SpanKind> = new Map([
  ['internal', 1],
  ['server', 2],
  ['client', 3],
  ['producer', 4],
  ['consumer', 5],
])

/** A span's kind by its name in any format: `SERVER`, `server`, `Server`, `SPAN_KIND_SERVER`; 0 for every other. */
export function kindOf(name: unknown): SpanKind {
  if (typeof name !== 'string') return 0
  return KINDS.get(name.toLowerCase().replace(/^span_kind_/, '')) ?? 0
}

/**
 * An id of `digits` hexadecimal digits; shorter ones, which tracers of 64 bits write, are filled up with zeros.
 * @throws OtlpError when it is not hexadecimal, or longer.
 */
export function shortId(value: unknown, digits: 16 | 32, field: string): string {
  const id = text(value, field)
  if (!/^[0-9a-f]*$/i.test(id) || id.length > digits) throw new OtlpError(`${field} is no id`)
  return id === '' ? '' : id.toLowerCase().padStart(digits, '0')
}

/** Nanoseconds of microseconds that are a number, or one in a string. @throws OtlpError */
export function microseconds(value: unknown, field: string): bigint {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (number === undefined || number === null) return 0n
  // What is larger does not fit 64 bits of nanoseconds.
  if (typeof number !== 'number' || !(number >= 0 && number < 2 ** 53)) {
    throw new OtlpError(`${field} is no number of microseconds`)
  }
  const whole = Math.trunc(number)
  return BigInt(whole) * 1000n + BigInt(Math.round((number - whole) * 1000))
}

/** Any JSON value as an attribute's. What is nested too deep is left out. */
export function anyValue(value: unknown, depth = 0): AnyValue {
  if (typeof value === 'string') return text(value, 'value')
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return null
  if (Array.isArray(value)) return value.map((element) => anyValue(element, depth + 1))
  const map = attributes()
  for (const [key, inner] of Object.entries(value)) map[text(key, 'key')] = anyValue(inner, depth + 1)
  return map
}

/** Attributes whose values OpenTelemetry has as numbers, for formats whose values are all text. */
const NUMBERS = new Set([
  'thread.id',
  'process.pid',
  'process.parent_pid',
  'http.response.status_code',
  'http.status_code',
  'rpc.grpc.status_code',
  'http.request.body.size',
  'http.response.body.size',
  'http.request.resend_count',
  'server.port',
  'client.port',
  'network.peer.port',
  'network.local.port',
  'net.peer.port',
  'net.host.port',
  'code.line.number',
  'code.lineno',
  'threadspan.queue.wait',
])

/** The value of an attribute that came as text, as the type that OpenTelemetry gives the attribute. */
export function typedText(key: string, value: string): AnyValue {
  if (!NUMBERS.has(key) || value.trim() === '') return value
  const number = Number(value)
  return Number.isFinite(number) ? number : value
}

/** What resources are described by, where a format puts the attributes of span and resource together. */
const RESOURCE =
  /^(?:service|telemetry|process|host|os|container|k8s|cloud|deployment|device|faas|webengine|browser|aws\.(?:ecs|eks|log))\./

/** Whether an attribute belongs to the resource. */
export function isOfResource(key: string): boolean {
  return RESOURCE.test(key)
}

/** Takes an attribute out; undefined where there is none. */
export function takeOut(from: Attributes, key: string): AnyValue | undefined {
  const value = from[key]
  if (value !== undefined) delete from[key]
  return value
}

/** Takes an attribute out that is text, else the empty string. */
export function takeText(from: Attributes, key: string): string {
  const value = takeOut(from, key)
  return typeof value === 'string' ? value : ''
}

/**
 * Sets status and scope from the attributes in which OpenTelemetry's exporters for other formats put them ("Mapping to non-OTLP
 * Formats", https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/), and takes these out.
 */
export function takeStatus(span: Span): { name: string; version: string } {
  const from = span.attributes
  const code = takeText(from, 'otel.status_code').toUpperCase()
  const message = takeText(from, 'otel.status_description')
  const error = from['error']
  const isError = error === true || error === 'true' || code === 'ERROR'
  if (error === true || error === 'true') delete from['error']
  span.status = { code: isError ? 2 : code === 'OK' ? 1 : 0, message }
  const name = takeText(from, 'otel.scope.name') || takeText(from, 'otel.library.name')
  const version = takeText(from, 'otel.scope.version') || takeText(from, 'otel.library.version')
  delete from['otel.library.name']
  delete from['otel.library.version']
  span.traceState = takeText(from, 'w3c.tracestate')
  return { name, version }
}
