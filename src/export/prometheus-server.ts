import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { PrometheusConfig } from '../config/metrics.js'
import type { ExportLog } from './exporter.js'
import { CONTENT_TYPE } from './prometheus.js'

/** Milliseconds in which a request must have come in, and a connection must be used. */
const PATIENCE = 10_000
const MOST_CONNECTIONS = 32

/** Lets Prometheus read metrics: `GET /metrics`. It keeps nothing running. */
export class PrometheusServer {
  readonly #server: Server

  /** @param text Gives the metrics as they are. */
  constructor({ host, port }: PrometheusConfig, log: ExportLog, text: () => Promise<string>) {
    // Here, and not where the telemetry thread starts, which few have answer to Prometheus.
    const { createServer } = process.getBuiltinModule('node:http')
    const isLocal = host === 'localhost' || host === '::1' || host.startsWith('127.')
    this.#server = createServer(
      { requestTimeout: PATIENCE, headersTimeout: PATIENCE },
      (request, response) => {
        // A page in a browser of this machine must not read them under a name of its own.
        if (isLocal && !isNear(request)) answer(response, 403, 'another host is meant\n')
        else if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 405, 'GET only\n')
        else if (request.url?.split('?', 1)[0] !== '/metrics') answer(response, 404, 'see /metrics\n')
        else {
          text().then(
            (metrics) => answer(response, 200, metrics, CONTENT_TYPE),
            () => answer(response, 500, 'metrics could not be collected\n'),
          )
        }
      },
    )
    this.#server.maxConnections = MOST_CONNECTIONS
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : (error.code ?? error.message)
      log('warn', 'THREADSPAN_PROMETHEUS', `metrics cannot be read at http://${host}:${port}/metrics: ${why}`)
    })
    this.#server.listen(port, host)
    this.#server.unref()
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

function isNear({ headers }: IncomingMessage): boolean {
  const name = (headers.host ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  const { isIP } = process.getBuiltinModule('node:net')
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost')
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(response.req.method === 'HEAD' ? undefined : text)
}
