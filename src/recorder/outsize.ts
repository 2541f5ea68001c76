/** Spans that do not fit the usual reservation: how large they can get, and what is cut of those that no ring can take. */
import type { AttributeValue } from '@opentelemetry/api'
import { ALIGN_BOUND, boundOfAttribute, boundOfAttributes } from './encoder.js'
import { SLOT_SIZE } from './sink.js'
import type { RecordedSpan } from './span.js'

/** Head, ids, times and counts. */
const FIXED = 128

/**
 * Upper bound of a span's record, in bytes, a multiple of 4.
 * @param thread Bytes of the thread's attributes.
 */
export function boundOfSpan(span: RecordedSpan, thread: number): number {
  let bound = FIXED + SLOT_SIZE + thread + 3 * span.name.length
  const list = span.attributes
  if (list !== undefined) {
    for (let i = 0; i < list.length; i += 2)
      bound += boundOfAttribute(list[i] as string, list[i + 1] as AttributeValue)
  }
  if (span.traceState !== undefined) bound += 3 * span.traceState.serialize().length + 8
  bound += 3 * (span.statusMessage?.length ?? 0) + 24
  const { extras } = span
  if (extras !== undefined) {
    bound += 32
    for (const event of extras.events)
      bound += 48 + 3 * event.name.length + boundOfAttributes(event.attributes)
    for (const link of extras.links) {
      bound += 80 + 3 * (link.context.traceState?.serialize().length ?? 0)
      bound += boundOfAttributes(link.attributes)
    }
  }
  return (bound + ALIGN_BOUND + 3) & ~3
}

/** Characters of a value, and number of events and links, that an outsize span keeps. */
const CUT_LENGTH = 2048
const CUT_COUNT = 16

/** Cuts a span that no ring can take, so that it arrives shortened and says so. */
export function shrink(span: RecordedSpan): void {
  const cut = (value: AttributeValue | undefined): AttributeValue | undefined => {
    if (typeof value === 'string') return value.substring(0, CUT_LENGTH)
    return Array.isArray(value)
      ? (value.slice(0, CUT_COUNT).map((v) => cut(v as string)) as AttributeValue)
      : value
  }
  span.prefix = 0
  span.name = span.name.substring(0, CUT_LENGTH)
  span.statusMessage = span.statusMessage?.substring(0, CUT_LENGTH)
  const list = span.attributes
  if (list !== undefined) {
    for (let i = 0; i < list.length; i += 2) list[i + 1] = cut(list[i + 1] as AttributeValue)!
    list.push('threadspan.truncated', true)
  }
  const { extras } = span
  if (extras === undefined) return
  extras.droppedEvents += Math.max(0, extras.events.length - CUT_COUNT)
  extras.events = extras.events.slice(-CUT_COUNT)
  extras.droppedLinks += Math.max(0, extras.links.length - CUT_COUNT)
  extras.links = extras.links.slice(0, CUT_COUNT)
  for (const { attributes } of extras.events)
    for (const key in attributes) attributes[key] = cut(attributes[key])
  for (const { attributes } of extras.links)
    for (const key in attributes) attributes[key] = cut(attributes[key])
}
