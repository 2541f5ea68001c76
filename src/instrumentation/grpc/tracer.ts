import type { Attributes, Tracer } from '@opentelemetry/api'
import { GRPC_CODES } from '../../core/grpc-codes.js'

/** What makes the spans; undefined while nobody wants any. */
export const current: { tracer: Tracer | undefined } = { tracer: undefined }

/** How a call ended. */
export interface Status {
  readonly code?: unknown
  readonly details?: unknown
}

/** `rpc.status_code`. */
export function codeOf({ code }: Status): string {
  return GRPC_CODES[Number(code)] ?? String(code)
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
