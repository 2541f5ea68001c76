import { readFile } from 'node:fs/promises'
import type { Agent, IncomingMessage, RequestOptions } from 'node:http'
import type { CentralConfig } from '../../config/central.js'
import { VERSION } from '../../core/version.js'
import { environmentProxy } from '../../export/http-post.js'

/** Milliseconds for one request. */
const TIMEOUT = 10_000
/** Bytes of an answer: settings are small. */
const MOST_BYTES = 64 * 1024

/** What the server answered. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface Ask {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** Asks a server of central configuration. It goes where it was told, and follows no redirection. */
export class Requester {
  #agent: Agent | undefined

  constructor(private readonly config: CentralConfig) {}

  /** @throws What the connection fails with; an Error where the answer is too large or does not come in time. */
  async ask({ url, method, headers, body }: Ask): Promise<Reply> {
    const isPlain = url.protocol === 'http:'
    const { request } = process.getBuiltinModule(isPlain ? 'node:http' : 'node:https')
    const options: RequestOptions = {
      method,
      headers: {
        'user-agent': `threadspan/${VERSION} (Node.js ${process.versions.node})`,
        ...this.config.headers,
        ...headers,
        ...(body === undefined ? {} : { 'content-length': String(body.length) }),
      },
      agent: await this.#connections(isPlain),
    }
    try {
      return await exchange((on) => request(url, options, on), body)
    } catch (error) {
      // Certificates are renewed while a process lives: the next attempt reads their files again.
      this.close()
      throw error
    }
  }

  async #connections(isPlain: boolean): Promise<Agent> {
    if (this.#agent !== undefined) return this.#agent
    const { certificate, clientKey, clientCertificate } = this.config
    const read = async (name: 'ca' | 'key' | 'cert', path: string | undefined) =>
      path === undefined ? {} : { [name]: await readFile(path) }
    const { Agent } = process.getBuiltinModule(isPlain ? 'node:http' : 'node:https')
    this.#agent = new Agent({
      keepAlive: true,
      ...environmentProxy(),
      ...(await read('ca', certificate)),
      ...(await read('key', clientKey)),
      ...(await read('cert', clientCertificate)),
    })
    return this.#agent
  }

  close(): void {
    this.#agent?.destroy()
    this.#agent = undefined
  }
}

type Send = (on: (response: IncomingMessage) => void) => import('node:http').ClientRequest

function exchange(send: Send, body: Uint8Array | undefined): Promise<Reply> {
  return new Promise((done, failed) => {
    const request = send((response) => {
      const chunks: Uint8Array[] = []
      let size = 0
      response.on('data', (chunk: Uint8Array) => {
        size += chunk.length
        if (size > MOST_BYTES) request.destroy(new Error(`its answer is larger than ${MOST_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', failed)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        done({ status, headers, body: Buffer.concat(chunks) })
      })
    })
    const timer = setTimeout(() => request.destroy(new Error('no answer in time')), TIMEOUT)
    request.on('error', failed)
    request.on('close', () => {
      clearTimeout(timer)
      failed(new Error('the connection was closed'))
    })
    request.end(body)
  })
}
