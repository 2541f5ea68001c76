import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { tracesFromJson } from '../otlp/json.js'
import { spansOf, type TraceSpan } from '../terminal/waterfall.js'

/** Of a longer file the end is read: what a terminal can show is the smaller part of it in any case. */
const MOST_BYTES = 256 * 1024 * 1024

/**
 * Reads a file of OTLP JSON lines, a line at a time. A line that is none (the last one of a process that was killed, or the first one
 * where a long file is cut) is left out. A file that does not exist has no spans.
 *
 * @returns whether it was read whole.
 */
export async function eachSpan(path: string, take: (span: TraceSpan) => void): Promise<boolean> {
  let size: number
  try {
    size = (await stat(path)).size
  } catch {
    return true
  }
  const input = createReadStream(path, { start: Math.max(0, size - MOST_BYTES) })
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    let spans: TraceSpan[]
    try {
      spans = spansOf(tracesFromJson(JSON.parse(line)))
    } catch {
      continue
    }
    for (const span of spans) take(span)
  }
  return size <= MOST_BYTES
}

/** The spans in a file of OTLP JSON lines, as {@link eachSpan} finds them. */
export async function readSpans(path: string): Promise<TraceSpan[]> {
  const spans: TraceSpan[] = []
  await eachSpan(path, (span) => {
    spans.push(span)
  })
  return spans
}
