/** The last reading of a thread. */
import { closedSpan, spanIdIn } from '../ring/closed-span.js'
import { lengthAt, type OpenSpan, type RecordTarget, type RingReader } from '../ring/reader.js'

/** Hands on the records of spans that cannot end any more. */
export function closeOpen(
  reader: RingReader,
  open: Iterable<OpenSpan>,
  target: RecordTarget,
  reason: string,
  time: bigint,
): void {
  reader.tellScopes(target)
  for (const { scope, start } of open) target.spans(scope, closedSpan(start, time, reason), 1)
}

/**
 * The last reading of a thread that may still run. A span that ends while it is looked at must neither be closed as well nor
 * missed, so the open ones are taken first, and those that are found to have ended are left out.
 */
export function concludeThread(reader: RingReader, target: RecordTarget, reason: string, time: bigint): void {
  reader.drain(target)
  const open = [...reader.open()]
  const ended = new Set<string>()
  reader.drain({
    scope: (id, encoded, url) => target.scope(id, encoded, url),
    measured: (body) => target.measured?.(body),
    logged: (body) => target.logged?.(body),
    spans(scope, bytes, count) {
      const copy = Buffer.from(bytes)
      for (let at = 0; at < copy.length; at += 4 + lengthAt(copy, at)) {
        const id = spanIdIn(copy, at + 4, copy.length)
        if (id !== undefined) ended.add(id)
      }
      target.spans(scope, copy, count)
    },
  })
  const left = open.filter(({ start }) => {
    const bytes = Buffer.from(start.buffer, start.byteOffset, start.length)
    return !ended.has(spanIdIn(bytes, 0, bytes.length) ?? '')
  })
  closeOpen(reader, left, target, reason, time)
}
