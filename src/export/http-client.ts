import type { OtlpConfig } from '../config/otlp.js'
import type { OtlpClient, SendOptions, SendResult } from './client.js'
import { gzip } from './gzip.js'
import { bodyHeaders, plainBody } from './http-body.js'
import { HttpPost } from './http-post.js'
import { answerOf } from './otlp-answer.js'

/** OTLP/HTTP (OTLP specification 1.x), with binary protobuf or JSON. */
export class HttpClient implements OtlpClient {
  /** A fifth of the 20 MiB that servers should take, so that a retry is no great loss. */
  readonly maxBytes = 4 * 1024 * 1024
  readonly #config: OtlpConfig
  readonly #post: HttpPost

  constructor(config: OtlpConfig) {
    this.#config = config
    this.#post = new HttpPost(config)
  }

  async prepare(request: Uint8Array): Promise<Uint8Array> {
    const body = plainBody(this.#config, request)
    return this.#config.compression === 'gzip' ? gzip(body) : body
  }

  async send(body: Uint8Array, options: SendOptions): Promise<SendResult> {
    const headers = { ...bodyHeaders(this.#config), 'content-length': String(body.length) }
    const result = await this.#post.send(body, headers, options)
    return result.answer === undefined ? result : { answer: answerOf(result.answer) }
  }

  close(): void {
    this.#post.close()
  }
}
