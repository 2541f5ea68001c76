import { putVarint, varintSize } from '../otlp/encode.js'

/**
 * Frames encoded spans as `ExportTraceServiceRequest` (opentelemetry-proto `trace_service.proto`, `trace.proto`).
 * The spans are copied once, into the one buffer that goes to the socket.
 */
const RESOURCE_SPANS = 0x0a
const RESOURCE = 0x0a
const SCOPE_SPANS = 0x12
const SCOPE = 0x0a
const SCHEMA_URL = 0x1a
const fieldSize = (length) => 1 + varintSize(length) + length
const stringSize = (value) => (value === '' ? 0 : fieldSize(Buffer.byteLength(value)))
function scopeSize(scope) {
  let size = fieldSize(scope.scope.length) + stringSize(scope.schemaUrl)
  for (const chunk of scope.chunks) size += chunk.length
  return size
}
/** The `ExportTraceServiceRequest` of these batches. Batches and scopes without spans are left out. */
export function encodeTraceRequest(batches) {
  const plan = []
  let total = 0
  for (const batch of batches) {
    const scopes = batch.scopes
      .filter((scope) => scope.count > 0)
      .map((scope) => ({ scope, size: scopeSize(scope) }))
    if (scopes.length === 0) continue
    let size = fieldSize(batch.resource.length)
    for (const scope of scopes) size += fieldSize(scope.size)
    plan.push({ batch, size, scopes })
    total += fieldSize(size)
  }
  const bytes = Buffer.allocUnsafe(total)
  let at = 0
  const header = (tag, length) => {
    bytes[at] = tag
    at = putVarint(bytes, at + 1, length)
  }
  const message = (tag, content) => {
    header(tag, content.length)
    bytes.set(content, at)
    at += content.length
  }
  for (const { batch, size, scopes } of plan) {
    header(RESOURCE_SPANS, size)
    message(RESOURCE, batch.resource)
    for (const { scope, size: length } of scopes) {
      header(SCOPE_SPANS, length)
      message(SCOPE, scope.scope)
      for (const chunk of scope.chunks) {
        bytes.set(chunk, at)
        at += chunk.length
      }
      if (scope.schemaUrl !== '') message(SCHEMA_URL, Buffer.from(scope.schemaUrl))
    }
  }
  return bytes
}
