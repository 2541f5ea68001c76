/** What a process exports of metrics: its own and its descendants', by what they are of. */
import { attributesIn } from '../otlp/decode-common.js'
import type { ScopeMetrics } from '../otlp/metrics-types.js'
import type { Attributes } from '../otlp/types.js'
import type { InstrumentKind } from './descriptor.js'
import { DeltaView, MergedMetrics } from './merged.js'

/** Resources at most; what is of more is told as of the first. */
const MOST = 64

/** Of which service a process is: those of one measure together, whichever process counts. */
const SERVICE = ['service.namespace', 'service.name', 'service.version', 'deployment.environment.name']

export interface Group {
  /** The encoded Resource. */
  readonly resource: Uint8Array
  readonly attributes: Attributes
  readonly metrics: MergedMetrics
}

export interface CollectedGroup {
  readonly resource: Uint8Array
  readonly attributes: Attributes
  readonly scopes: readonly ScopeMetrics[]
}

export class MetricGroups {
  private readonly groups = new Map<string, Group>()
  readonly own: MergedMetrics

  /**
   * @param resource The process's own.
   * @param since When the process began, in nanoseconds since the epoch.
   */
  constructor(
    resource: Uint8Array,
    private readonly since: bigint,
  ) {
    this.own = this.of(resource)
  }

  /** Those of a process, by its encoded Resource. */
  of(resource: Uint8Array): MergedMetrics {
    const attributes = attributesIn(resource)
    const key = JSON.stringify(SERVICE.map((name) => String(attributes[name] ?? '')))
    let group = this.groups.get(key)
    if (group === undefined && this.groups.size >= MOST) return this.own
    if (group === undefined) {
      group = { resource, attributes, metrics: new MergedMetrics(this.since) }
      this.groups.set(key, group)
    }
    return group.metrics
  }

  /** All there is; the process's own comes first, whether there is any or not. */
  collect(view?: (metrics: MergedMetrics) => DeltaView): { groups: CollectedGroup[]; arrived(): void } {
    const all = [...this.groups.values()].map(({ resource, attributes, metrics }) => {
      const { scopes, arrived } = metrics.collect(view?.(metrics))
      return { group: { resource, attributes, scopes }, arrived }
    })
    return {
      groups: all.map(({ group }) => group).filter(({ scopes }, i) => i === 0 || scopes.length > 0),
      arrived() {
        for (const one of all) one.arrived()
      },
    }
  }
}

/** `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`. */
export type TemporalityPreference = 'cumulative' | 'delta' | 'lowmemory'

/** A reader that wants differences as a preference says (OTLP exporter specification, "Additional environment variable configuration"). */
export function viewsOf(preference: TemporalityPreference): (metrics: MergedMetrics) => DeltaView {
  const isDelta = (kind: InstrumentKind): boolean =>
    preference !== 'cumulative' &&
    (kind === 'counter' || kind === 'histogram' || (kind === 'observablecounter' && preference === 'delta'))
  const views = new WeakMap<MergedMetrics, DeltaView>()
  return (metrics) => {
    let view = views.get(metrics)
    if (view === undefined) {
      view = new DeltaView(isDelta)
      views.set(metrics, view)
    }
    return view
  }
}
