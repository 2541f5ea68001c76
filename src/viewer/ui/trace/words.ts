import { duration } from '../../model/format.js'
import { CLOSED, CYCLE, ERROR, nameOf, ORPHAN, serviceOf, type Trace } from '../../model/trace.js'

/** What is out of order with a span, in words. */
export function states(flags: number): string[] {
  const out: string[] = []
  if ((flags & ERROR) !== 0) out.push('Failed')
  if ((flags & CLOSED) !== 0) out.push('Open when its thread or process died')
  if ((flags & ORPHAN) !== 0) out.push('Its parent has not arrived')
  if ((flags & CYCLE) !== 0) out.push('Its parents form a cycle')
  return out
}

/** A span in one sentence, for screen readers. */
export function inWords(trace: Trace, span: number): string {
  const parts = [
    nameOf(trace, span),
    duration(trace.end[span]! - trace.start[span]!),
    `at ${duration(trace.start[span]! - trace.from)}`,
    `in ${trace.threads[trace.thread[span]!]!.label}`,
    ...(trace.processes.length > 1 ? [`of ${serviceOf(trace, span)}`] : []),
  ]
  if (trace.wait[span]! > 0) parts.push(`waited ${duration(trace.wait[span]!)}`)
  return [...parts, ...states(trace.flags[span]!)].join(', ')
}
