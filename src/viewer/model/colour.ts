import type { Trace } from './trace.js'

/** How many hues the theme defines (`--hue-0` and on); slot 0 is the main thread's. */
export const HUES = 24

export type ColourBy = 'thread' | 'service' | 'name'

/**
 * The hue of every span, 0 to `HUES - 1`. By thread, main threads share hue 0 and the others take turns in the rest;
 * by service, services take turns in order of appearance; by name, the hue follows from the
 * text, so that it is the same in every trace.
 */
export function hues(trace: Trace, by: ColourBy): Uint8Array {
  const out = new Uint8Array(trace.size)
  if (by === 'name') {
    const ofName = trace.strings.map(hueOf)
    for (let i = 0; i < out.length; i++) out[i] = ofName[trace.name[i]!] ?? 0
    return out
  }
  const ofThread = by === 'thread' ? threadHues(trace) : serviceHues(trace)
  for (let i = 0; i < out.length; i++) out[i] = ofThread[trace.thread[i]!]!
  return out
}

/** The hue of each thread. */
export function threadHues(trace: Trace): Uint8Array {
  let worker = 0
  return Uint8Array.from(trace.threads, ({ id, label }) =>
    id === 0 || label === 'main' ? 0 : 1 + (worker++ % (HUES - 1)),
  )
}

/** The hue of each thread's service: in order of appearance within a trace, since a few must differ for certain. */
export function serviceHues(trace: Trace): Uint8Array {
  const seen = new Map<string, number>()
  return Uint8Array.from(trace.threads, ({ process }) => {
    const service = trace.processes[process]?.service ?? ''
    if (!seen.has(service)) seen.set(service, seen.size % HUES)
    return seen.get(service)!
  })
}

/** The services of a trace in order of appearance: the order of their hues. */
export function servicesOf(trace: Trace): string[] {
  return [...new Set(trace.threads.map(({ process }) => trace.processes[process]?.service ?? ''))]
}

/** The hue of a text (FNV-1a). */
export function hueOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % HUES
}
