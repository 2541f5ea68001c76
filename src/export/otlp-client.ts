import type { OtlpConfig } from '../config/otlp.js'
import type { OtlpClient } from './client.js'
import { GrpcClient } from './grpc-client.js'
import { HttpClient } from './http-client.js'

/** The client of the protocol that is configured. Nothing is opened before the first request. */
export function otlpClient(config: OtlpConfig): OtlpClient {
  return config.protocol === 'grpc' ? new GrpcClient(config) : new HttpClient(config)
}
