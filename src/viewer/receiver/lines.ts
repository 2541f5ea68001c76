import { isMalformed, type Sink } from './sink.js'

/** Longest line of an OTLP JSON file; a longer one is passed over. */
const MAX_LINE = 64 * 1024 * 1024

/** What reading a stream of lines brought. */
export interface LinesResult {
  /** Spans, data points and log records kept. */
  items: number
  spans: number
  /** Items refused. */
  rejected: number
  /** Lines that are not OTLP JSON or too long. */
  badLines: number
}

/**
 * Reads OTLP JSON lines, one `TracesData`, `MetricsData` or `LogsData` object to a line, as the OpenTelemetry Collector's
 * file exporter writes them. Unreadable lines are counted and passed over: the last one of a file that is still being
 * written is often half a line.
 */
export async function readLines(chunks: AsyncIterable<Buffer | string>, sink: Sink): Promise<LinesResult> {
  const result: LinesResult = { items: 0, spans: 0, rejected: 0, badLines: 0 }
  let parts: Buffer[] = []
  let size = 0
  const finish = () => {
    if (size > MAX_LINE) bad(sink, result)
    else if (size > 0) takeLine(Buffer.concat(parts, size).toString('utf8'), sink, result)
    parts = []
    size = 0
  }
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    let from = 0
    for (let to = bytes.indexOf(10); to >= 0; to = bytes.indexOf(10, from)) {
      push(bytes.subarray(from, to))
      finish()
      from = to + 1
    }
    push(bytes.subarray(from))
  }
  finish()
  return result

  function push(part: Buffer): void {
    size += part.length
    if (size > MAX_LINE) parts = []
    else if (part.length > 0) parts.push(part)
  }
}

function takeLine(line: string, sink: Sink, result: LinesResult): void {
  if (line.trim() === '') return
  const spans = sink.received.spans
  try {
    const { accepted, rejected } = sink.takeLine(line)
    result.items += accepted
    result.rejected += rejected
    result.spans += sink.received.spans - spans
  } catch (error) {
    if (!isMalformed(error)) throw error
    bad(sink, result)
  }
}

function bad(sink: Sink, result: LinesResult): void {
  result.badLines++
  sink.drop('malformed')
}
