import { monotonicNow } from '../core/clock.js'
import type { OtlpMetricsExporter } from './otlp-metrics.js'

/** What is exported at once. */
export interface MetricsRequest {
  /** An encoded `ExportMetricsServiceRequest`. */
  readonly body: Uint8Array
  /** It has arrived. */
  arrived?(): void
}

export interface PeriodicOptions {
  /** Milliseconds between two exports, and how long one may take. */
  readonly interval: number
  readonly timeout: number
  /** Asks those who say their figures only when asked, before an export. */
  readonly prepare?: () => Promise<void>
  /** Gives the figures as they are. */
  readonly collect: () => MetricsRequest
  /** Whether they are sent at the moment; always where it is left out. What is not is not sent later either. */
  readonly isOn?: () => boolean
  /** Whether they are differences: a request that may have arrived must not be sent in other words. */
  readonly isDelta?: boolean
}

/** Exports metrics at an interval, and once more at the end (OpenTelemetry's "Periodic exporting MetricReader"). */
export class PeriodicMetrics {
  readonly #exporter: OtlpMetricsExporter
  readonly #options: PeriodicOptions
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(exporter: OtlpMetricsExporter, options: PeriodicOptions) {
    this.#exporter = exporter
    this.#options = options
    // Never two at once: the one that is under way would tell less, and arrive later.
    const tick = (): void => {
      this.#running ??= this.#export().finally(() => {
        this.#running = undefined
      })
    }
    this.#timer = setInterval(tick, options.interval).unref()
  }

  async #export(): Promise<void> {
    const { prepare, timeout } = this.#options
    await prepare?.()
    if (!this.#isClosed) await this.#send(monotonicNow() + timeout)
  }

  async #send(deadline: number): Promise<void> {
    const { collect, isOn } = this.#options
    const { body, arrived } = collect()
    if (isOn?.() === false || (await this.#exporter.export(body, deadline))) arrived?.()
  }

  /**
   * Exports the last figures, in the place of what is under way; behind it where they are differences and it is answered in time.
   * @param deadline Milliseconds of `monotonicNow`.
   */
  async close(deadline: number): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    if (this.#options.isDelta === true && this.#running !== undefined) {
      const patience = Math.max(0, (deadline - monotonicNow()) / 2)
      await Promise.race([this.#running, new Promise((over) => setTimeout(over, patience).unref())])
    }
    this.#exporter.abandon()
    await this.#send(deadline)
    this.#exporter.close()
  }
}
