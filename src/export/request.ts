import { putVarint, varintSize } from '../otlp/encode.js'
import type { Batch, ScopeBatch } from './exporter.js'

/**
 * Frames encoded spans as `ExportTraceServiceRequest` (opentelemetry-proto `trace_service.proto`, `trace.proto`), or encoded log records as
 * `ExportLogsServiceRequest` (`logs_service.proto`, `logs.proto`): the fields around them have the same numbers. What is framed is copied once,
 * into the one buffer that goes to the socket.
 */

const GROUP = 0x0a
const RESOURCE = 0x0a
const SCOPE_GROUP = 0x12
const SCOPE = 0x0a
const SCHEMA_URL = 0x1a

const fieldSize = (length: number): number => 1 + varintSize(length) + length
const stringSize = (value: string): number => (value === '' ? 0 : fieldSize(Buffer.byteLength(value)))

function scopeSize(scope: ScopeBatch): number {
  let size = fieldSize(scope.scope.length) + stringSize(scope.schemaUrl)
  for (const chunk of scope.chunks) size += chunk.length
  return size
}

/** The request of these batches, all of one signal. Batches and scopes without anything are left out. */
export function encodeRequest(batches: readonly Batch[]): Uint8Array {
  const plan: { batch: Batch; size: number; scopes: { scope: ScopeBatch; size: number }[] }[] = []
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
  const header = (tag: number, length: number): void => {
    bytes[at] = tag
    at = putVarint(bytes, at + 1, length)
  }
  const message = (tag: number, content: Uint8Array): void => {
    header(tag, content.length)
    bytes.set(content, at)
    at += content.length
  }
  for (const { batch, size, scopes } of plan) {
    header(GROUP, size)
    message(RESOURCE, batch.resource)
    for (const { scope, size: length } of scopes) {
      header(SCOPE_GROUP, length)
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
