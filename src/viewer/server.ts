import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { ThreadspanError } from '../core/errors.js'
import type { Status } from './api.js'
import { type DataOptions, type SourceResult, ViewerData } from './data.js'
import type { ExportFormat } from './exports/format.js'
import { Live } from './live.js'
import { answerPage } from './page.js'
import { Errors } from './queries/errors.js'
import { statusOf } from './queries/status.js'
import { summary } from './queries/traces.js'
import { answerFailure } from './receiver/answers.js'
import { drain } from './receiver/body.js'
import type { FileResult } from './receiver/data-file.js'
import { guard } from './receiver/guard.js'
import { HttpError } from './receiver/http-error.js'
import { encodingOf, receive, signalOf } from './receiver/receiver.js'
import { answerApi, answerJson } from './routes.js'
import { OnDemand } from './sources/on-demand.js'
import type { Pages, Source } from './sources/source.js'

/** The port that OTLP/HTTP exporters send to unless told otherwise. */
export const OTLP_PORT = 4318

/** How `startViewer` runs; everything may be left out. */
export interface ViewerOptions extends DataOptions {
  /** 0 for a free one. Without it 4318, or a free one when that is taken. */
  port?: number
  /** Address or name to listen on; by default 127.0.0.1, which no other machine reaches. */
  host?: string
  /** Further names under which browsers and programs may ask for it, as in a `Host` header without the port. */
  allowHosts?: readonly string[]
  /** Asked for a trace that somebody looks for and the viewer does not hold. */
  source?: Source
}

/** A running viewer. */
export interface Viewer {
  /** Where the page is, e.g. `http://127.0.0.1:4318/`. */
  url: string
  /** Where OTLP/HTTP is received, e.g. `http://127.0.0.1:4318`: a value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  endpoint: string
  /** Spans that the database brought. */
  restored: number
  /**
   * Reads a file of traces into the viewer, as `readData` does; `signal` ends the reading early.
   * @throws ThreadspanError `THREADSPAN_FILE_UNREADABLE`
   */
  load(file: string, signal?: AbortSignal): Promise<FileResult>
  /** Reads traces of a source. @throws ThreadspanError `THREADSPAN_SOURCE_UNREACHABLE`, `THREADSPAN_SOURCE_ANSWER` */
  read(pages: Pages, name: string): Promise<SourceResult>
  /**
   * Writes all spans to a file; OTLP JSON lines, which `load` reads, without a format.
   * @throws ThreadspanError `THREADSPAN_FILE_UNWRITABLE`
   */
  save(file: string, format?: ExportFormat): Promise<void>
  status(): Status
  /** Ends all streams and connections, writes what is left to the database. May be called again. */
  close(): Promise<void>
}

/**
 * Starts the viewer: OTLP/HTTP receiver, store, API and page on one port.
 * @throws ThreadspanError `THREADSPAN_PORT_TAKEN`, `THREADSPAN_LISTEN`, `THREADSPAN_SQLITE_UNAVAILABLE`, `THREADSPAN_DB_OPEN`
 */
export async function startViewer(options: ViewerOptions = {}): Promise<Viewer> {
  const { host = '127.0.0.1', onWarning } = options
  const data = await ViewerData.open(options)
  const { store, sink } = data
  let endpoint = ''
  const status = () => statusOf(sink, endpoint, options.db ?? null)
  const live = new Live({
    status,
    changed: (most) => store.takeChanged(most).map((trace) => summary(store, trace)),
  })
  const { source } = options
  const onDemand =
    source === undefined ? undefined : new OnDemand(source, (pages) => data.read(pages, source.name))
  const context = { sink, errors: new Errors(store), live, status, onDemand }
  const hosts = new Set([host, hostname(), ...(options.allowHosts ?? [])].map((name) => name.toLowerCase()))
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      response.destroy()
      onWarning?.('THREADSPAN_VIEWER_FAILED', `A request failed: ${error.message}`)
    })
  })
  try {
    await listen(server, host, options.port)
  } catch (error) {
    data.close()
    throw error
  }
  const { address, port, family } = server.address() as AddressInfo
  const shown =
    address === '0.0.0.0' || address === '::' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address
  endpoint = `http://${shown}:${port}`
  let closed: Promise<void> | undefined
  return {
    url: `${endpoint}/`,
    endpoint,
    restored: data.restored,
    status,
    load: (file, signal) => data.load(file, signal),
    read: (pages, name) => data.read(pages, name),
    save: (file, format) => data.save(file, format),
    close: () => (closed ??= close()),
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0]!
    const signal = signalOf(path)
    try {
      guard(request, hosts, signal !== undefined && !isLoopback(host))
      if (signal !== undefined) return await receive(request, response, signal, sink)
      if (path.startsWith('/api/'))
        return await answerApi(context, request, response, new URL(request.url!, 'http://viewer'))
      if (path !== '/' && path !== '/index.html')
        throw new HttpError(404, 'THREADSPAN_NOT_FOUND', 'There is no such page')
      if (request.method !== 'GET' && request.method !== 'HEAD')
        throw new HttpError(405, 'THREADSPAN_METHOD', 'Only GET is allowed here')
      await answerPage(response, request.method === 'HEAD')
    } catch (error) {
      if (!(error instanceof HttpError) || response.headersSent) throw error
      await drain(request)
      if (error.counted === 'foreign') sink.drop('foreign')
      if (!request.complete) response.setHeader('connection', 'close')
      const { status, code, message } = error
      if (signal !== undefined)
        answerFailure(response, encodingOf(request) ?? 'json', status, `${message} (${code})`)
      else answerJson(response, status, { code, message })
    }
  }

  async function close(): Promise<void> {
    live.close()
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    // Requests that are being answered get to the end; a client that stalls does not hold the viewer.
    const timer = setTimeout(() => server.closeAllConnections(), 1000)
    await ended
    clearTimeout(timer)
    data.close()
  }
}

/** Whether only this machine reaches what listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Listens on `port`; without one on 4318, or on a free one when 4318 is taken. */
async function listen(server: Server, host: string, port: number | undefined): Promise<void> {
  try {
    await tryListen(server, host, port ?? OTLP_PORT)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' && port === undefined) return tryListen(server, host, 0)
    if (code === 'EADDRINUSE') {
      const text = `Port ${port} on ${host} is taken by another program: choose another with --port, or none for a free one`
      throw new ThreadspanError('THREADSPAN_PORT_TAKEN', text, { cause: error })
    }
    throw new ThreadspanError('THREADSPAN_LISTEN', `The viewer cannot listen on ${host}: ${message}`, {
      cause: error,
    })
  }
}

function tryListen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
