import type { SpanScan } from './scan-span.js'

/** `thread.name` of a scanned span, or the empty string. */
export function threadName(bytes: Buffer, scan: SpanScan): string {
  return scan.threadNameEnd === 0 ? '' : bytes.toString('utf8', scan.threadNameAt, scan.threadNameEnd)
}

/** Trace Context requires ids of 16 and 8 bytes that are not all zero; OTLP calls a span without them invalid. */
export function hasIds(bytes: Buffer, scan: SpanScan): boolean {
  if (scan.traceLength !== 16 || scan.spanLength !== 8) return false
  if (scan.parentLength !== 0 && scan.parentLength !== 8) return false
  return isSet(bytes, scan.traceAt, 16) && isSet(bytes, scan.spanAt, 8)
}

function isSet(bytes: Buffer, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] !== 0) return true
  return false
}
