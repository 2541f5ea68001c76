import { VERSION } from '../config/version.js'

/** Bytes of an answer that are read; the messages that may be in it are small. */
const LONGEST_ANSWER = 64 * 1024
/** A client for one URL. */
export class HttpPost {
  #config
  #url
  #agent
  #send
  constructor(config) {
    this.#config = config
    this.#url = new URL(config.url)
  }
  /** Sends `body`. It never rejects. */
  async send(body, options) {
    try {
      const [send, agent] = await this.#open()
      const result = await exchange(send, this.#url, agent, this.#headers(body, options), body, options)
      // Certificates are renewed while a process lives: the next attempt reads their files again. The agent is not
      // destroyed, for that would end other requests; its idle connections keep nothing alive.
      if (result.answer === undefined && !result.stale) this.#agent = undefined
      return result
    } catch (error) {
      // A certificate that cannot be read: sending without it would trust, or be trusted, otherwise than was asked for.
      return { error: error, timedOut: false, stale: false }
    }
  }
  /** Closes the connections. `send` opens new ones. */
  close() {
    this.#agent?.destroy()
    this.#agent = undefined
  }
  async #open() {
    if (this.#send !== undefined && this.#agent !== undefined) return [this.#send, this.#agent]
    // Loaded here, since the other exporters need neither.
    if (this.#url.protocol === 'http:') {
      const http = await import('node:http')
      this.#send = http.request
      this.#agent = new http.Agent({ keepAlive: true })
    } else {
      const https = await import('node:https')
      const { readFile } = await import('node:fs/promises')
      const read = async (name, path) => (path === undefined ? {} : { [name]: await readFile(path) })
      const { certificate, clientKey, clientCertificate } = this.#config
      const files = {
        ...(await read('ca', certificate)),
        ...(await read('key', clientKey)),
        ...(await read('cert', clientCertificate)),
      }
      this.#send = https.request
      this.#agent = new https.Agent({ keepAlive: true, ...files })
    }
    return [this.#send, this.#agent]
  }
  #headers(body, { gzipped }) {
    // Ours come last: with another length or type than the body has, no request would arrive.
    return {
      'user-agent': `threadspan/${VERSION} (Node.js ${process.versions.node})`,
      ...this.#config.headers,
      'content-type': 'application/x-protobuf',
      'content-length': String(body.length),
      ...(gzipped ? { 'content-encoding': 'gzip' } : {}),
    }
  }
}
function exchange(send, url, agent, headers, body, { timeout, signal }) {
  return new Promise((resolve) => {
    let answer
    let responded = false
    let timedOut = false
    const request = send(url, { method: 'POST', headers, agent }, (response) => {
      responded = true
      const { statusCode = 0, headers: fields } = response
      const chunks = []
      let size = 0
      const settle = () => {
        answer = {
          status: statusCode,
          retryAfter: fields['retry-after'],
          contentType: fields['content-type'] ?? '',
          body: Buffer.concat(chunks),
        }
        finish()
      }
      response.on('data', (chunk) => {
        size += chunk.length
        if (size > LONGEST_ANSWER) request.destroy()
        else chunks.push(chunk)
      })
      response.on('end', settle)
      // However the rest of it ends, the status has been read: a reset after "200" would else send all twice.
      response.on('error', () => {})
      response.on('close', settle)
    })
    const stop = () => {
      timedOut = true
      request.destroy(new Error('no answer in time'))
    }
    const timer = setTimeout(stop, timeout)
    signal.addEventListener('abort', stop)
    let error = new Error('the connection was closed')
    const finish = () => {
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
