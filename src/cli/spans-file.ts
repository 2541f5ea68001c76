import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { spansOf, type TraceSpan } from '../export/waterfall.js'
import { tracesFromJson } from '../otlp/json.js'

/** Of a longer file the end is read: what a terminal can show is the smaller part of it in any case. */
const MOST_BYTES = 256 * 1024 * 1024

/**
 * The spans in a file of OTLP JSON lines. A line that is none (the last one of a process that was killed, or the first one
 * where a long file is cut) is left out. A file that does not exist has no spans.
 */
export async function readSpans(path: string): Promise<TraceSpan[]> {
  let size: number
  try {
    size = (await stat(path)).size
  } catch {
    return []
  }
  const spans: TraceSpan[] = []
  const input = createReadStream(path, { start: Math.max(0, size - MOST_BYTES) })
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    try {
      for (const span of spansOf(tracesFromJson(JSON.parse(line)))) spans.push(span)
    } catch {}
  }
  return spans
}
