import { type TerminalStyle, writeOut } from '../terminal/terminal.js'
import { renderWaterfall } from '../terminal/waterfall.js'
import type { TraceSpan } from '../trace/trace.js'
import { decodeBatches } from './decoded.js'
import { allDelivered, allDropped, countOf, type Exporter, type ExportLog } from './exporter.js'
import { Notices, reason } from './notices.js'

/** Spans of other threads and processes come a little later than the root: milliseconds of silence to wait for. */
const SETTLE = 500
/** Spans that are held for traces that are not complete. */
const MOST_SPANS = 20_000

const IS_REMOTE = 0x200

/** A root, or a span whose parent is in another service: with its end the trace is complete, as far as it is ours. */
const isLocalRoot = ({ span }: TraceSpan): boolean =>
  span.parentSpanId === '' || (span.flags & IS_REMOTE) !== 0

interface OpenTrace {
  readonly spans: TraceSpan[]
  complete: boolean
}

/**
 * Draws each trace on standard error when it is complete: for looking at a program while it is written. Spans count
 * as delivered when they are taken; a trace whose root never ends is drawn at `close`, or when too many are open. What comes
 * after that is drawn by itself.
 * @param write Takes a drawing; false when it could not.
 */
export function waterfallExporter(
  log: ExportLog,
  style: TerminalStyle,
  write: (text: string) => boolean = (text) => writeOut(2, text),
): Exporter {
  const notices = new Notices(log, 'standard error')
  const traces = new Map<string, OpenTrace>()
  let held = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined

  const draw = (traceId: string, { spans }: OpenTrace): void => {
    traces.delete(traceId)
    held -= spans.length
    if (!write(`\n${renderWaterfall(spans, { ...style, traceId })}`)) {
      notices.complain('THREADSPAN_EXPORT_OUTPUT', 'cannot be written')
    }
  }
  const drawComplete = (): void => {
    for (const [traceId, open] of traces) if (open.complete) draw(traceId, open)
  }

  return {
    async export(batches) {
      const made = countOf(batches)
      if (closed) return allDropped(made, 'closed')
      try {
        for (const span of decodeBatches(batches)) {
          const { traceId } = span.span
          const open = traces.get(traceId) ?? { spans: [], complete: false }
          open.spans.push(span)
          open.complete ||= isLocalRoot(span)
          traces.set(traceId, open)
          held++
        }
        while (held > MOST_SPANS) draw(...traces.entries().next().value!)
      } catch (error) {
        notices.complain('THREADSPAN_EXPORT_FAILED', `was given spans that failed: ${reason(error as Error)}`)
        return allDropped(made, 'failed')
      }
      clearTimeout(timer)
      // Whoever ends the process closes the exporter, which draws: the timer need not keep anything alive.
      timer = setTimeout(drawComplete, SETTLE)
      timer.unref()
      return allDelivered(made)
    },
    async close() {
      if (closed) return
      closed = true
      clearTimeout(timer)
      for (const [traceId, open] of traces) draw(traceId, open)
    },
  }
}
