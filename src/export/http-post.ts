import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { OtlpConfig } from '../config/otlp.js'
import { LONGEST_ANSWER, type NoAnswer, type SendOptions } from './client.js'
import { tlsFiles } from './tls-files.js'

/**
 * One POST over HTTP or HTTPS, on connections that are kept.
 *
 * `@opentelemetry/otlp-exporter-base` 0.223 was judged for this and left out. It counts a partial success as a full
 * one, does not tell a refusal by the server from an endpoint that is down, gives up after five attempts whatever the
 * deadline, cannot be told to hurry when the process ends, and limits the idle time of a request, not its time. Loading
 * it takes 60 ms and 104 files, which a process that lives for 100 ms would feel; `node:http` takes 4 ms.
 */

/** What the server answered. The body can be cut short: its status is what counts. */
export interface HttpAnswer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly contentType: string
  readonly body: Uint8Array
}

/** An answer, or why there is none. */
export type PostResult = { readonly answer: HttpAnswer } | NoAnswer

type Send = (url: URL, options: RequestOptions, on: (response: IncomingMessage) => void) => ClientRequest

/** A client for one URL. */
export class HttpPost {
  readonly #config: OtlpConfig
  readonly #url: URL
  #agent: Agent | undefined
  #send: Send | undefined

  constructor(config: OtlpConfig) {
    this.#config = config
    this.#url = new URL(config.url)
  }

  /** Sends `body`. It never rejects. */
  async send(
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    options: SendOptions,
  ): Promise<PostResult> {
    try {
      const [send, agent] = await this.#open()
      const { socketPath } = this.#config
      const where = socketPath === undefined ? { agent } : { agent, socketPath }
      const result = await exchange(send, this.#url, { ...where, headers }, body, options)
      // Certificates are renewed while a process lives: the next attempt reads their files again. The agent is not
      // destroyed, for that would end other requests; its idle connections keep nothing alive.
      if (result.answer === undefined && !result.stale) this.#agent = undefined
      return result
    } catch (error) {
      // A certificate that cannot be read: sending without it would trust, or be trusted, otherwise than was asked for.
      return { error: error as Error, timedOut: false, stale: false }
    }
  }

  /** Closes the connections. `send` opens new ones. */
  close(): void {
    this.#agent?.destroy()
    this.#agent = undefined
  }

  async #open(): Promise<[Send, Agent]> {
    if (this.#send !== undefined && this.#agent !== undefined) return [this.#send, this.#agent]
    // Loaded here, since the other exporters need neither; not by `import()`, which would first start the loader of ES modules.
    if (this.#url.protocol === 'http:') {
      const http = process.getBuiltinModule('node:http')
      this.#send = http.request
      this.#agent = new http.Agent({ keepAlive: true, ...environmentProxy() })
    } else {
      const https = process.getBuiltinModule('node:https')
      this.#send = https.request
      this.#agent = new https.Agent({
        keepAlive: true,
        ...environmentProxy(),
        ...(await tlsFiles(this.#config)),
      })
    }
    return [this.#send, this.#agent]
  }
}

/**
 * Where Node sends its own requests through the proxy of the environment (`NODE_USE_ENV_PROXY`, `--use-env-proxy`; Node 24 and
 * later), ours go there too: elsewhere nothing may get out. `NO_PROXY` is for Node to read. Older versions ignore the option.
 */
export function environmentProxy(): { proxyEnv?: NodeJS.ProcessEnv } {
  const { env, execArgv } = process
  const asked =
    env['NODE_USE_ENV_PROXY'] === '1' ||
    execArgv.includes('--use-env-proxy') ||
    /(?:^|\s)--use-env-proxy(?:\s|$)/.test(env['NODE_OPTIONS'] ?? '')
  return asked ? { proxyEnv: env } : {}
}

function exchange(
  send: Send,
  url: URL,
  options: RequestOptions,
  body: Uint8Array,
  { timeout, signal }: SendOptions,
): Promise<PostResult> {
  return new Promise((resolve) => {
    let answer: HttpAnswer | undefined
    let responded = false
    let timedOut = false
    const request = send(url, { method: 'POST', ...options }, (response) => {
      responded = true
      const { statusCode = 0, headers: fields } = response
      const chunks: Uint8Array[] = []
      let size = 0
      const settle = (): void => {
        answer = {
          status: statusCode,
          retryAfter: fields['retry-after'],
          contentType: fields['content-type'] ?? '',
          body: Buffer.concat(chunks),
        }
        finish()
      }
      response.on('data', (chunk: Uint8Array) => {
        size += chunk.length
        if (size > LONGEST_ANSWER) request.destroy()
        else chunks.push(chunk)
      })
      response.on('end', settle)
      // However the rest of it ends, the status has been read: a reset after "200" would else send all twice.
      response.on('error', () => {})
      response.on('close', settle)
    })
    const stop = (): void => {
      timedOut = true
      request.destroy(new Error('no answer in time'))
    }
    const timer = setTimeout(stop, timeout)
    signal.addEventListener('abort', stop)
    let error = new Error('the connection was closed')
    const finish = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      // An answer that came before all was sent: the rest is not waited for.
      if (answer !== undefined && !request.writableFinished) request.destroy()
      resolve(answer ? { answer } : { error, timedOut, stale: request.reusedSocket && !timedOut })
    }
    request.on('error', (cause) => {
      error = cause
    })
    request.on('close', () => {
      // A response, once it began, settles on its own.
      if (!responded) finish()
    })
    if (signal.aborted) stop()
    else request.end(body)
  })
}
