/**
 * The samplers that OpenTelemetry's specification builds in, on ids as words. A decision needs the trace id and the
 * parent only; attributes never take part, so none are collected before it.
 */
import type { TraceIdentity } from '../core/ids.js'

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
  toString(): string
}

export const alwaysOn: Sampler = { shouldSample: () => true, toString: () => 'AlwaysOnSampler' }
export const alwaysOff: Sampler = { shouldSample: () => false, toString: () => 'AlwaysOffSampler' }

/** Byte order of an id's word, most significant first. */
function swap(word: number): number {
  return (((word & 255) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

/**
 * Samples the given share of traces by the 56 random bits that Trace Context Level 2 puts at the end of a trace id, so
 * that every service with the same or a higher ratio keeps the same traces.
 * @param ratio 0 to 1; values outside are clamped.
 */
export function traceIdRatio(ratio: number): Sampler {
  const clamped = Number.isNaN(ratio) ? 1 : Math.min(1, Math.max(0, ratio))
  const threshold = (1 - clamped) * 2 ** 56
  return {
    shouldSample(trace) {
      const random = (swap(trace.w2) & 0xffffff) * 4294967296 + swap(trace.w3)
      return clamped > 0 && random >= threshold
    },
    toString: () => `TraceIdRatioBased{${clamped}}`,
  }
}

/** Follows the parent's decision; `root` decides where there is none. */
export function parentBased(root: Sampler): Sampler {
  return {
    shouldSample(trace, parent) {
      if (parent === 'none') return root.shouldSample(trace, parent)
      return parent === 'local-sampled' || parent === 'remote-sampled'
    },
    toString: () => `ParentBased{root=${root}}`,
  }
}
