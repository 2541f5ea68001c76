// A receiver of OTLP over gRPC that others wrote: grpc-js, with OpenTelemetry's own definitions.
import { createRequire } from 'node:module'
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { LogsRequest } from './logs-proto.js'

const require = createRequire(import.meta.url)
const { collector } = require(
  require.resolve('@opentelemetry/otlp-definitions').replace(/index\.js$/, 'generated/root.js'),
).opentelemetry.proto

export { Metadata, ServerCredentials, status }

const SIGNALS = {
  Trace: [collector.trace.v1, 'opentelemetry.proto.collector.trace.v1'],
  Metrics: [collector.metrics.v1, 'opentelemetry.proto.collector.metrics.v1'],
  // Answers of all signals look the same.
  Logs: [
    {
      ExportLogsServiceRequest: LogsRequest,
      ExportLogsServiceResponse: collector.trace.v1.ExportTraceServiceResponse,
    },
    'opentelemetry.proto.collector.logs.v1',
  ],
}

function definition(name) {
  const [types, pack] = SIGNALS[name]
  const request = types[`Export${name}ServiceRequest`]
  const response = types[`Export${name}ServiceResponse`]
  return {
    Export: {
      path: `/${pack}.${name}Service/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (message) => Buffer.from(request.encode(message).finish()),
      requestDeserialize: (bytes) => request.decode(bytes),
      responseSerialize: (message) => Buffer.from(response.encode(message).finish()),
      responseDeserialize: (bytes) => response.decode(bytes),
    },
  }
}

/** Ids of the spans of a request, in order. */
export function spanIds(request) {
  return request.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(({ spanId }) => Buffer.from(spanId).toString('hex'))),
  )
}

/** The metadata that tells a client when to come back: `google.rpc.RetryInfo` in a `google.rpc.Status`. */
export function retryInfo(seconds, nanos = 0) {
  const field = (number, bytes) => Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes])
  const varint = (number, value) => {
    const bytes = [number << 3]
    for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128)
    return Buffer.of(...bytes, value)
  }
  const delay = Buffer.concat([varint(1, seconds), varint(2, nanos)])
  const any = [field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), field(2, field(1, delay))]
  const metadata = new Metadata()
  const details = [varint(1, 14), field(2, Buffer.from('later')), field(3, Buffer.concat(any))]
  metadata.set('grpc-status-details-bin', Buffer.concat(details))
  return metadata
}

/**
 * Listens.
 * @param answer Gets the signal's name, the request, the call and the number of calls before; gives a response, or throws
 * `{ code, details, metadata }`.
 * @param address `127.0.0.1:0` unless told.
 */
export async function grpcReceiver(answer, { options = {}, credentials, address = '127.0.0.1:0' } = {}) {
  const server = new Server(options)
  let calls = 0
  for (const name of Object.keys(SIGNALS)) {
    server.addService(definition(name), {
      async Export(call, callback) {
        try {
          callback(null, (await answer(name, call.request, call, calls++)) ?? {})
        } catch (error) {
          callback(error)
        }
      },
    })
  }
  const port = await new Promise((resolve, reject) =>
    server.bindAsync(address, credentials ?? ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return { server, port, url: `http://127.0.0.1:${port}`, close: () => server.forceShutdown() }
}
