import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2'
import type { Socket } from 'node:net'
import type { OtlpConfig } from '../config/otlp.js'
import type { SendOptions } from './client.js'
import { grpcProxy, hostOf, tunnel } from './grpc-proxy.js'
import { tlsFiles } from './tls-files.js'

/** One HTTP/2 connection to a server, kept from call to call, and replaced when it ends or the server wants it to. */
export class GrpcConnection {
  readonly #config: OtlpConfig
  readonly #url: URL
  #session: ClientHttp2Session | undefined

  constructor(config: OtlpConfig) {
    this.#config = config
    this.#url = new URL(config.url)
  }

  /** @returns The connection, which may still be opening, and whether it has been used before. */
  async open(options: SendOptions): Promise<[ClientHttp2Session, boolean]> {
    const kept = this.#session
    if (kept !== undefined && !kept.closed && !kept.destroyed) return [kept, true]
    const session = await this.#connect(options)
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined
    }
    // A server that is about to leave finishes what it has begun, and takes nothing new.
    session.on('goaway', forget)
    session.on('close', forget)
    // Each call hears of it by its own.
    session.on('error', () => {})
    // Node only ends its half of a connection that the server has told to leave; a server may wait for the rest of it.
    session.on('connect', (_session, socket) => socket.on('finish', () => socket.destroy()))
    this.#session = session
    return [session, false]
  }

  /** Calls go over another one from now on. */
  drop(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined
    session.destroy()
  }

  close(): void {
    this.#session?.destroy()
    this.#session = undefined
  }

  async #connect(options: SendOptions): Promise<ClientHttp2Session> {
    // Loaded here, since the other protocols do not need it; not by `import()`, which would first start the loader of ES modules.
    const http2 = process.getBuiltinModule('node:http2')
    const { socketPath } = this.#config
    const url = this.#url
    if (socketPath !== undefined) {
      const { connect } = process.getBuiltinModule('node:net')
      return http2.connect(url.origin, { createConnection: () => connect(socketPath) })
    }
    const files: SecureClientSessionOptions = url.protocol === 'https:' ? await tlsFiles(this.#config) : {}
    const proxy = grpcProxy(url, process.env)
    if (proxy === undefined) return http2.connect(url.origin, files)
    const socket = await tunnel(proxy, url, options)
    return http2.connect(url.origin, { createConnection: () => secured(socket, url, files) })
  }
}

/** TLS over a connection that is there. */
function secured(socket: Socket, url: URL, files: SecureClientSessionOptions): Socket {
  if (url.protocol !== 'https:') return socket
  const { connect } = process.getBuiltinModule('node:tls')
  const { isIP } = process.getBuiltinModule('node:net')
  const host = hostOf(url)
  // An address is no name to ask a server for (RFC 6066); the certificate is checked against it all the same.
  const servername = isIP(host) === 0 ? { servername: host } : {}
  return connect({ ...files, ...servername, host, socket, ALPNProtocols: ['h2'] })
}
