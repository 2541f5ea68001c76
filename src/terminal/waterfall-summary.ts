import type { AnyValue } from '../otlp/types.js'
import { printable } from '../trace/text.js'
import type { Interval, Lane, WaterfallNode } from '../trace/trace.js'

/** What the lines of a waterfall are made of, beside bars. */

/** A value from outside as text for a terminal. */
export const text = (value: AnyValue | undefined): string =>
  value === undefined || value === null ? '' : printable(String(value))

/** A line without its colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
export const plain = (line: string): string => line.replace(/\x1b\[[\d;]*m/g, '')

/** "1 span", "1,234 spans", "2 processes". */
export function plural(count: number, noun: string): string {
  const many = noun.endsWith('s') ? `${noun}es` : `${noun}s`
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : many}`
}

/** Threads with the others of their process, processes in order of appearance. */
export function byProcess(lanes: readonly Lane[]): Lane[] {
  const processes = new Map<Lane['process'], Lane[]>()
  for (const lane of lanes) {
    const own = processes.get(lane.process)
    if (own === undefined) processes.set(lane.process, [lane])
    else own.push(lane)
  }
  return [...processes.values()].flat()
}

/** The intervals without their overlaps, in order. */
export function merge(intervals: readonly Interval[]): Interval[] {
  const merged: { start: number; end: number }[] = []
  for (const { start, end } of intervals.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else merged.push({ start, end })
  }
  return merged
}

/** Milliseconds of all intervals. */
export const lengthOf = (intervals: readonly Interval[]): number =>
  intervals.reduce((sum, { start, end }) => sum + end - start, 0)

/** What went wrong in a span, in one line. */
export function errorText({ span }: WaterfallNode): string {
  const closed = text(span.attributes['threadspan.closed'])
  if (closed !== '') return `ended by ${closed}`
  const exception = span.events.findLast(({ name }) => name === 'exception')?.attributes
  const type = text(exception?.['exception.type'])
  const message = text(exception?.['exception.message']) || printable(span.status.message)
  return [type, message].filter((part) => part !== '').join(': ') || 'error'
}
