import { type OtlpConfig, shownEndpoint } from '../config/otlp.js'
import { ExportCall } from './call.js'
import type { OtlpClient } from './client.js'
import type { ExportLog } from './exporter.js'
import { reason } from './notices.js'
import { failure } from './otlp-answer.js'
import { otlpClient } from './otlp-client.js'
import { backoff } from './retry.js'

/**
 * Metrics over OTLP. What is lost here is no loss: the next request has it all, of sums that are cumulative as of
 * differences. So failures are told once, and never more than that.
 */
export class OtlpMetricsExporter {
  readonly #client: OtlpClient
  readonly #config: OtlpConfig
  readonly #log: ExportLog
  #call: ExportCall | undefined
  #told = false

  constructor(config: OtlpConfig, log: ExportLog) {
    this.#config = config
    this.#client = otlpClient(config)
    this.#log = log
  }

  /**
   * Sends a request until it is answered for good. It never rejects.
   * @param request An `ExportMetricsServiceRequest`.
   * @param deadline Milliseconds of `monotonicNow`.
   * @returns Whether it was taken, in part at least.
   */
  async export(request: Uint8Array, deadline: number): Promise<boolean> {
    const call = new ExportCall(0, deadline)
    this.#call = call
    try {
      const { taken, problem } = await this.#attempt(await this.#client.prepare(request), call)
      if (problem !== undefined && call.over === undefined) this.#complain(problem)
      return taken
    } catch (error) {
      this.#complain(reason(error as Error))
      return false
    } finally {
      call.finish()
    }
  }

  /** Gives up the request that is under way. */
  abandon(): void {
    this.#call?.end('closed')
  }

  close(): void {
    this.abandon()
    this.#client.close()
  }

  /** @returns Whether it was taken, and what there is to complain of. */
  async #attempt(
    body: Uint8Array,
    call: ExportCall,
  ): Promise<{ readonly taken: boolean; readonly problem?: string }> {
    let fresh = true
    for (let attempt = 0; ; ) {
      const timeout = Math.max(1, Math.min(this.#config.timeout, call.remaining))
      const result = await this.#client.send(body, { timeout, signal: call.signal })
      const { answer } = result
      if (answer !== undefined && answer.verdict !== 'again') {
        if (answer.verdict !== 'taken') return { taken: false, problem: `it answers with ${answer.words}` }
        const { rejected, message } = answer.partial
        if (rejected === 0 && message === '') return { taken: true }
        return { taken: true, problem: `it refused ${rejected} of them: ${message}` }
      }
      if (answer === undefined && result.stale && fresh) {
        fresh = false
        continue
      }
      const wait = answer?.wait ?? backoff(attempt++)
      if (call.signal.aborted || wait >= call.remaining) return { taken: false, problem: failure(result)[1] }
      await call.pause(wait)
    }
  }

  #complain(why: string): void {
    const level = this.#told ? 'debug' : 'warn'
    this.#told = true
    this.#log(level, 'THREADSPAN_METRICS', `metrics do not arrive at ${shownEndpoint(this.#config)}: ${why}`)
  }
}
