import type { Attributes, Tracer } from '@opentelemetry/api'

let current: Tracer | undefined

/** Makes the spans from now on; undefined for none. */
export function setTracer(tracer: Tracer | undefined): void {
  current = tracer
}

export function tracerOf(): Tracer | undefined {
  return current
}

/** How a call ended. */
export interface Status {
  readonly code?: unknown
  readonly details?: unknown
}

/** By their numbers: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
const CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]

/** `rpc.status_code`. */
export function codeOf({ code }: Status): string {
  return CODES[Number(code)] ?? String(code)
}

/** What both sides tell of a call: its method, without the slash that paths begin with, is the span's name. */
export function callAttributes(method: string, address: string | undefined, port?: number): Attributes {
  const attributes: Attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method }
  if (address !== undefined && address !== '') {
    attributes['server.address'] = address
    if (port !== undefined && port > 0) attributes['server.port'] = port
  }
  return attributes
}

/** `/shop.Orders/Get` as `shop.Orders/Get`. */
export function methodOf(path: unknown): string {
  return typeof path === 'string' ? path.replace(/^\//, '') : '_OTHER'
}
