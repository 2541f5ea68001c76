import type { LogRecord, LogsRequest } from '../../otlp/logs-types.js'

/** Most log records kept, and most characters of their bodies; the oldest leave first. */
const MAX_RECORDS = 50_000
const MAX_BYTES = 64 * 1024 * 1024

/** The log records that name a span: the viewer shows them with it. Others are received and counted, not kept. */
export class Logs {
  readonly #bySpan = new Map<string, LogRecord[]>()
  #records = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Answers how many records were taken. */
  add(request: LogsRequest): number {
    let taken = 0
    for (const group of request.resourceLogs) {
      for (const inner of group.scopeLogs) {
        for (const record of inner.logRecords) {
          taken++
          if (record.traceId !== '' && record.spanId !== '') this.#keep(record)
        }
      }
    }
    return taken
  }

  /** The records of a span in order of time. */
  of(traceId: string, spanId: string): LogRecord[] {
    const records = this.#bySpan.get(traceId + spanId) ?? []
    return [...records].sort((a, b) => Number(time(a) - time(b)))
  }

  #keep(record: LogRecord): void {
    const key = record.traceId + record.spanId
    const records = this.#bySpan.get(key)
    if (records === undefined) this.#bySpan.set(key, [record])
    else records.push(record)
    this.#records++
    this.#bytes += size(record)
    while (this.#records > MAX_RECORDS || this.#bytes > MAX_BYTES) this.#dropOldest()
  }

  #dropOldest(): void {
    for (const [key, records] of this.#bySpan) {
      const oldest = records.shift()
      if (oldest !== undefined) {
        this.#records--
        this.#bytes -= size(oldest)
      }
      if (records.length === 0) this.#bySpan.delete(key)
      return
    }
  }
}

/** Nanoseconds since the epoch: when it happened, else when it was observed. */
function time(record: LogRecord): bigint {
  return record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano
}

/** About what a record takes in memory. */
function size(record: LogRecord): number {
  return 400 + length(record.body) + length(record.attributes)
}

function length(value: unknown): number {
  if (typeof value === 'string') return value.length + 16
  if (value instanceof Uint8Array) return value.length + 64
  if (typeof value !== 'object' || value === null) return 16
  let sum = 32
  for (const [key, inner] of Object.entries(value)) sum += key.length + length(inner)
  return sum
}
