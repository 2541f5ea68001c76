import type { AnyValue } from '../otlp/types.js'
import { writeOut } from '../terminal/terminal.js'
import { duration, printable } from '../trace/text.js'
import type { TraceSpan } from '../trace/trace.js'
import { decodeBatches } from './decoded.js'
import { allDelivered, allDropped, countSpans, type Exporter, type ExportLog } from './exporter.js'
import { Notices, reason } from './notices.js'

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']

const LONGEST_VALUE = 200

function valueText(value: AnyValue): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const plain = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? ''
  return printable(plain.length > LONGEST_VALUE ? `${plain.slice(0, LONGEST_VALUE)}…` : plain)
}

/** A span in one line: when, who, what, how long, its outcome, its place in the trace, its attributes. */
export function consoleLine({ span, resource }: TraceSpan): string {
  const time = new Date(Number(span.startTimeUnixNano / 1_000_000n)).toISOString()
  const service = `${resource.attributes['service.name'] ?? 'unknown'}[${resource.attributes['process.pid'] ?? '-'}]`
  const length = duration(Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6)
  const status = ['', ' ok', ` error${span.status.message === '' ? '' : `: ${span.status.message}`}`]
  const parent = span.parentSpanId === '' ? '' : ` parent=${span.parentSpanId}`
  const attributes = Object.entries(span.attributes).map(([key, value]) => ` ${key}=${valueText(value)}`)
  const line =
    `${time} ${service} ${KINDS[span.kind]} "${span.name}" ${length}${status[span.status.code]}` +
    ` trace=${span.traceId} span=${span.spanId}${parent}${attributes.join('')}`
  return printable(line)
}

/**
 * Writes spans to standard output, a line each (OpenTelemetry specification, "Standard Output Exporter": for debugging;
 * the form is not fixed).
 * @param write Takes the lines; false when it could not.
 */
export function consoleExporter(
  log: ExportLog,
  write: (text: string) => boolean = (text) => writeOut(1, text),
): Exporter {
  const notices = new Notices(log, 'standard output')
  let closed = false
  return {
    async export(batches) {
      const made = countSpans(batches)
      if (closed) return allDropped(made, 'closed')
      try {
        const lines = decodeBatches(batches).map((span) => `${consoleLine(span)}\n`)
        if (write(lines.join(''))) return allDelivered(made)
        notices.complain('THREADSPAN_EXPORT_OUTPUT', 'cannot be written')
        return allDropped(made, 'output')
      } catch (error) {
        notices.complain('THREADSPAN_EXPORT_FAILED', `was given spans that failed: ${reason(error as Error)}`)
        return allDropped(made, 'failed')
      }
    },
    async close() {
      closed = true
    },
  }
}
