/** What a process that exports does with metrics: its threads', its descendants', and those that tell of its own work. */
import type { MetricsConfig } from '../config/config.js'
import { now, unixNano } from '../core/clock.js'
import { VERSION } from '../core/version.js'
import type { ExportLog } from '../export/exporter.js'
import { OtlpMetricsExporter } from '../export/otlp-metrics.js'
import { PeriodicMetrics } from '../export/periodic-metrics.js'
import { prometheusText } from '../export/prometheus.js'
import { PrometheusServer } from '../export/prometheus-server.js'
import { type CollectedGroup, MetricGroups, viewsOf } from '../metrics/groups.js'
import type { MergedMetrics } from '../metrics/merged.js'
import { attributesIn } from '../otlp/decode-common.js'
import { encodeMetricsRequest } from '../otlp/encode-metrics.js'
import type { Metric, ScopeMetrics } from '../otlp/metrics-types.js'
import type { Detection } from './detectors.js'
import { processMetrics } from './process-metrics.js'

function scopeOf(name: string, metrics: Metric[]): ScopeMetrics {
  return {
    scope: { name, version: VERSION, attributes: {}, droppedAttributesCount: 0 },
    metrics,
    schemaUrl: '',
  }
}

export interface MetricsExportOptions {
  readonly config: MetricsConfig
  /** The process's encoded Resource. */
  readonly resource: Uint8Array
  /** What detectors find of where this runs. */
  readonly detection: Detection | undefined
  readonly log: ExportLog
  /** Has threads say what they say only when asked. */
  readonly observe: () => Promise<void>
  /** The figures of this package's own. */
  readonly accounts: () => Metric[]
  /** Whether the process and the system are told of. */
  readonly hasProcess: boolean
  /** Whether they are sent at the moment. */
  readonly isOn: () => boolean
}

export class MetricsExport {
  private readonly groups: MetricGroups
  private readonly periodic: PeriodicMetrics | undefined
  private readonly server: PrometheusServer | undefined

  /** When the process began, in nanoseconds since the epoch. */
  private readonly since = unixNano(now()) - BigInt(Math.round(process.uptime() * 1e9))

  constructor(private readonly options: MetricsExportOptions) {
    const { config, resource, detection, log, isOn } = options
    const observe = async (): Promise<void> => {
      await detection?.settled
      await options.observe()
    }
    const { otlp, prometheus, temporality, interval, timeout } = config
    this.groups = new MetricGroups(resource, this.since)
    if (otlp !== undefined) {
      const view = viewsOf(temporality)
      this.periodic = new PeriodicMetrics(new OtlpMetricsExporter(otlp, log), {
        interval,
        timeout,
        prepare: observe,
        isOn,
        isDelta: temporality !== 'cumulative',
        collect: () => {
          const { groups, arrived } = this.groups.collect(view)
          return { body: encodeMetricsRequest(this.withAccounts(groups)), arrived }
        },
      })
    }
    if (prometheus !== undefined) {
      this.server = new PrometheusServer(prometheus, log, async () => {
        await observe()
        return prometheusText(this.withAccounts(this.groups.collect().groups))
      })
    }
  }

  /** The process's own. */
  get own(): MergedMetrics {
    return this.groups.own
  }

  /** Those of a descendant, by its encoded Resource. */
  of(resource: Uint8Array): MergedMetrics {
    return this.groups.of(resource)
  }

  private withAccounts([own, ...others]: readonly CollectedGroup[]): CollectedGroup[] {
    const { accounts, hasProcess } = this.options
    const scopes = [scopeOf('threadspan', accounts())]
    if (hasProcess) scopes.push(scopeOf('threadspan/process', processMetrics(this.since)))
    const groups = [{ ...own!, scopes: [...scopes, ...own!.scopes] }, ...others]
    const { detection } = this.options
    if (detection === undefined) return groups
    return groups.map((group) => {
      const resource = detection.extend(group.resource)
      return { ...group, resource, attributes: attributesIn(resource) }
    })
  }

  /** Exports the last figures. @param deadline Milliseconds of `monotonicNow`. */
  async close(deadline: number): Promise<void> {
    this.options.detection?.hurry()
    this.server?.close()
    await this.periodic?.close(deadline)
  }
}
