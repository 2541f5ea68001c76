import { decodeLogs } from '../otlp/decode-logs.js'
import type { LogRecord } from '../otlp/logs-types.js'
import type { AnyValue, Resource } from '../otlp/types.js'
import type { Signal } from '../ring/reader.js'
import { writeOut } from '../terminal/terminal.js'
import { duration, printable } from '../trace/text.js'
import type { TraceSpan } from '../trace/trace.js'
import { decodeBatches } from './decoded.js'
import { allDelivered, allDropped, type Batch, countOf, type Exporter, type ExportLog } from './exporter.js'
import { Notices, reason } from './notices.js'
import { encodeRequest } from './request.js'

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']

const LONGEST_VALUE = 200

function valueText(value: AnyValue): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const plain = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? ''
  return printable(plain.length > LONGEST_VALUE ? `${plain.slice(0, LONGEST_VALUE)}…` : plain)
}

function serviceOf({ attributes }: Resource): string {
  return `${attributes['service.name'] ?? 'unknown'}[${attributes['process.pid'] ?? '-'}]`
}

/** A span in one line: when, who, what, how long, its outcome, its place in the trace, its attributes. */
export function consoleLine({ span, resource }: TraceSpan): string {
  const time = new Date(Number(span.startTimeUnixNano / 1_000_000n)).toISOString()
  const length = duration(Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6)
  const status = ['', ' ok', ` error${span.status.message === '' ? '' : `: ${span.status.message}`}`]
  const parent = span.parentSpanId === '' ? '' : ` parent=${span.parentSpanId}`
  const attributes = Object.entries(span.attributes).map(([key, value]) => ` ${key}=${valueText(value)}`)
  const line =
    `${time} ${serviceOf(resource)} ${KINDS[span.kind]} "${span.name}" ${length}${status[span.status.code]}` +
    ` trace=${span.traceId} span=${span.spanId}${parent}${attributes.join('')}`
  return printable(line)
}

/** A log record in one line: when, who, how severe, what, its place in the trace, its attributes. */
function logLine(record: LogRecord, resource: Resource): string {
  const time = new Date(Number(record.timeUnixNano / 1_000_000n)).toISOString()
  const ids = record.traceId === '' ? '' : ` trace=${record.traceId} span=${record.spanId}`
  const attributes = Object.entries(record.attributes).map(([key, value]) => ` ${key}=${valueText(value)}`)
  const severity = record.severityText === '' ? String(record.severityNumber) : record.severityText
  const line = `${time} ${serviceOf(resource)} ${severity.toUpperCase()} ${valueText(record.body)}${ids}${attributes.join('')}`
  return printable(line)
}

function logLines(batches: readonly Batch[]): string[] {
  const { resourceLogs } = decodeLogs(encodeRequest(batches))
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords.map((record) => logLine(record, resource))),
  )
}

/**
 * Writes spans or log records to standard output, a line each (OpenTelemetry specification, "Standard Output Exporter": for debugging;
 * the form is not fixed).
 * @param write Takes the lines; false when it could not.
 */
export function consoleExporter(
  log: ExportLog,
  write: (text: string) => boolean = (text) => writeOut(1, text),
  signal: Signal = 'spans',
): Exporter {
  const notices = new Notices(log, 'standard output', signal)
  let closed = false
  return {
    async export(batches) {
      const made = countOf(batches)
      if (closed) return allDropped(made, 'closed')
      try {
        const lines = signal === 'spans' ? decodeBatches(batches).map(consoleLine) : logLines(batches)
        if (write(lines.map((line) => `${line}\n`).join(''))) return allDelivered(made)
        notices.complain('THREADSPAN_EXPORT_OUTPUT', 'cannot be written')
        return allDropped(made, 'output')
      } catch (error) {
        notices.complain(
          'THREADSPAN_EXPORT_FAILED',
          `was given ${notices.what} that failed: ${reason(error as Error)}`,
        )
        return allDropped(made, 'failed')
      }
    },
    async close() {
      closed = true
    },
  }
}
