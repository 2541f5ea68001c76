import type { MetricsConfig } from '../config/config.js'
import { monotonicNow } from '../core/clock.js'
import type { OtlpMetricsExporter } from './otlp-metrics.js'

/** Exports metrics at an interval, and once more at the end (OpenTelemetry's "Periodic exporting MetricReader"). */
export class PeriodicMetrics {
  readonly #exporter: OtlpMetricsExporter
  readonly #collect: () => Uint8Array
  readonly #timer: NodeJS.Timeout
  #running = false

  /** @param collect Gives an `ExportMetricsServiceRequest` with the figures as they are. */
  constructor(
    exporter: OtlpMetricsExporter,
    { interval, timeout }: Pick<MetricsConfig, 'interval' | 'timeout'>,
    collect: () => Uint8Array,
  ) {
    this.#exporter = exporter
    this.#collect = collect
    this.#timer = setInterval(() => void this.#export(timeout), interval).unref()
  }

  /** Never two at once: the one that is under way would tell less, and arrive later. */
  async #export(timeout: number): Promise<void> {
    if (this.#running) return
    this.#running = true
    await this.#exporter.export(this.#collect(), monotonicNow() + timeout)
    this.#running = false
  }

  /**
   * Exports the last figures, in the place of what is under way.
   * @param deadline Milliseconds since the epoch.
   */
  async close(deadline: number): Promise<void> {
    clearInterval(this.#timer)
    this.#exporter.abandon()
    await this.#exporter.export(this.#collect(), deadline)
    this.#exporter.close()
  }
}
