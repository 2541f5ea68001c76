/**
 * The samplers that OpenTelemetry's specification builds in, on ids as words. A decision needs the trace id and the
 * parent only; attributes never take part, so none are collected before it.
 */
import type { TraceState } from '@opentelemetry/api'
import { swapBytes, type TraceIdentity } from '../core/ids.js'
import { EMPTY_TRACESTATE } from '../core/tracestate.js'

/** What the parent says, if there is one. */
export type ParentState =
  | 'none'
  | 'local-sampled'
  | 'local-not-sampled'
  | 'remote-sampled'
  | 'remote-not-sampled'

export interface Sampler {
  /** Whether a span of this trace is to be recorded and exported. */
  shouldSample(trace: TraceIdentity, parent: ParentState): boolean
  /** The threshold below which it rejects, as hexadecimal digits behind the point; undefined where it leaves nothing to chance. */
  readonly threshold?: string | undefined
  /** Whether that holds for roots alone. */
  readonly follows?: boolean
  /** Whether what is not sampled leaves no trace at all: nothing is measured of it, and its parent's context goes on. */
  readonly isSilent?: boolean
}

export const alwaysOn: Sampler = { shouldSample: () => true }
export const alwaysOff: Sampler = { shouldSample: () => false }

/** With four digits behind the leading "f"s, as the specification recommends ("TraceState: Probability Sampling"). */
function thresholdOf(ratio: number): string {
  const digits = Math.min(13, 4 + Math.floor(-Math.log2(ratio) / 4))
  const scale = 16 ** digits
  const rounded = Math.min(Math.round((1 - ratio) * scale), scale - 1)
  return rounded.toString(16).padStart(digits, '0').replace(/\B0+$/, '')
}

/** The trace state of a span that was sampled: it tells backends for how many the span stands. */
export function toldState(
  { threshold, follows }: Sampler,
  state: TraceState | undefined,
  isRoot: boolean,
): TraceState | undefined {
  if (threshold === undefined || (follows && !isRoot)) return state
  const others = state?.get('ot')?.replace(/^th:[^;]*;?|;th:[^;]*/, '')
  return (state ?? EMPTY_TRACESTATE).set('ot', `th:${threshold}${others ? `;${others}` : ''}`)
}

/**
 * Samples the given share of traces by the 56 random bits that Trace Context Level 2 puts at the end of a trace id, so
 * that every service with the same or a higher ratio keeps the same traces. The share is told in the trace state.
 * @param ratio 0 to 1.
 */
export function traceIdRatio(ratio: number): Sampler {
  const threshold = thresholdOf(ratio || 1)
  // What is told is what is done.
  const least = ratio === 0 ? Number.POSITIVE_INFINITY : Number.parseInt(threshold.padEnd(14, '0'), 16)
  return {
    shouldSample: ({ w2, w3 }) => (swapBytes(w2) & 0xffffff) * 2 ** 32 + (swapBytes(w3) >>> 0) >= least,
    threshold,
  }
}

/** Follows the parent's decision; `root` decides where there is none. */
export function parentBased(root: Sampler): Sampler {
  return {
    shouldSample: (trace, parent) =>
      parent === 'none'
        ? root.shouldSample(trace, parent)
        : parent === 'local-sampled' || parent === 'remote-sampled',
    threshold: root.threshold,
    follows: true,
  }
}
