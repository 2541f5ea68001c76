import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { monotonicNow } from '#dist/core/clock.js'
import { decodeTraces } from '#dist/otlp/decode.js'

import { concat, encodeResource, encodeScope, lengthDelimited } from '#dist/otlp/encode.js'
import type { OtlpConfig } from '../../src/config/otlp.js'
import type { Batch, ExportResult } from '../../src/export/exporter.js'

export const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'

export const hexId = (id: number): string => id.toString(16).padStart(16, '0')

function fixed64(tag: number, value: bigint): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes[0] = tag
  bytes.writeBigUInt64LE(value, 1)
  return bytes
}

/** A complete `ScopeSpans.spans` field with a span of this name, `padding` bytes larger by its trace state. */
export function spanField(name: string, id: number, padding = 0): Uint8Array {
  const parts = [
    lengthDelimited(0x0a, Buffer.from(TRACE_ID, 'hex')),
    lengthDelimited(0x12, Buffer.from(hexId(id), 'hex')),
    lengthDelimited(0x2a, Buffer.from(name)),
    fixed64(0x39, 1_790_000_000_000_000_000n),
    fixed64(0x41, 1_790_000_000_012_500_000n),
  ]
  if (padding > 0) parts.push(lengthDelimited(0x1a, Buffer.alloc(padding, 'x')))
  return lengthDelimited(0x12, concat(parts))
}

/** A batch of `count` spans, named "span 1" and so on, laid in chunks of three. */
export function batch(count: number, padding = 0, first = 1): Batch {
  const fields = Array.from({ length: count }, (_, i) => spanField(`span ${first + i}`, first + i, padding))
  const chunks: Uint8Array[] = []
  for (let i = 0; i < fields.length; i += 3) chunks.push(concat(fields.slice(i, i + 3)))
  return {
    resource: encodeResource({ 'service.name': 'checkout', 'process.pid': 4711 }),
    scopes: [{ scope: encodeScope('test', '1.2.3'), schemaUrl: 'https://example.com/schema', chunks, count }],
    count,
    bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  }
}

/** The names of the spans of a request's body. */
export function spanNames(body: Uint8Array): string[] {
  return decodeTraces(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
  )
}

export function total({ delivered, dropped }: ExportResult): number {
  return [...dropped.values()].reduce((sum, count) => sum + count, delivered)
}

export interface Received {
  readonly request: IncomingMessage
  readonly body: Uint8Array
  readonly spans: string[]
}

/** Answers a request; `index` counts from 0. */
export type Handler = (received: Received, response: ServerResponse, index: number) => void

export interface Receiver {
  readonly url: string
  readonly received: Received[]
  readonly server: Server
  close(): Promise<void>
}

/** A real HTTP server on a free loopback port (or the one given). */
export async function receiver(
  handler: Handler = (_, response) => response.end(),
  port = 0,
  server: Server = createServer(),
): Promise<Receiver> {
  const received: Received[] = []
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Uint8Array[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const raw = Buffer.concat(chunks)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
    const one = { request, body, spans: spanNames(body) }
    handler(one, response, received.push(one) - 1)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const scheme = 'setSecureContext' in server ? 'https' : 'http'
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    received,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A TCP server that does with each connection what it is told. */
export async function tcp(
  handler: (socket: Socket, index: number) => void,
): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>()
  let index = 0
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    handler(socket, index++)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** A loopback port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export function otlpConfig(url: string, more: Partial<OtlpConfig> = {}): OtlpConfig {
  return {
    protocol: 'http/protobuf',
    signal: 'traces',
    url,
    socketPath: undefined,
    headers: {},
    timeout: 10_000,
    compression: 'none',
    certificate: undefined,
    clientKey: undefined,
    clientCertificate: undefined,
    ...more,
  }
}

/** A log that is kept. */
export function journal(): { log: (level: string, code: string, message: string) => void; lines: string[] } {
  const lines: string[] = []
  return { log: (level, code, message) => lines.push(`${level} ${code} ${message}`), lines }
}

export const soon = (milliseconds = 10_000): number => monotonicNow() + milliseconds

/** What became of spans that no server refused: those that can be given again are just those that were dropped. */
export function accounts({ delivered, dropped, undelivered = [] }: ExportResult): ExportResult {
  let kept = 0
  for (const { count } of undelivered) kept += count
  let lost = 0
  for (const count of dropped.values()) lost += count
  assert.equal(kept, lost)
  return { delivered, dropped }
}
