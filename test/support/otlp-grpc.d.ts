import type {
  Metadata,
  Server,
  ServerCredentials,
  ServerOptions,
  ServerUnaryCall,
  status,
} from '@grpc/grpc-js'

export { Metadata, ServerCredentials, status } from '@grpc/grpc-js'

export interface TraceRequest {
  resourceSpans: { scopeSpans: { spans: { spanId: Uint8Array; name: string }[] }[] }[]
}
export interface LogsRequest {
  resourceLogs: { scopeLogs: { logRecords: { eventName: string }[] }[] }[]
}
export interface Failure {
  code: status
  details?: string
  metadata?: Metadata
}
export type Answer = (
  signal: 'Trace' | 'Metrics' | 'Logs',
  request: TraceRequest,
  call: ServerUnaryCall<TraceRequest, unknown>,
  index: number,
) => unknown

export function spanIds(request: TraceRequest): string[]
export function retryInfo(seconds: number, nanos?: number): Metadata
export function grpcReceiver(
  answer: Answer,
  how?: { options?: ServerOptions; credentials?: ServerCredentials; address?: string },
): Promise<{ server: Server; port: number; url: string; close(): void }>
