import type { LogRecord, LogsRequest } from '../../otlp/logs-types.js'
import type { Attributes } from '../../otlp/types.js'
import { processKey } from './process-key.js'

/** Most log records kept, and most characters of their bodies; the oldest leave first. */
const MAX_RECORDS = 50_000
const MAX_BYTES = 64 * 1024 * 1024

/** Who sent records: shared by all of one request and resource. */
export interface LogOrigin {
  readonly service: string
  readonly host: string
  readonly process: string
  readonly environment: string
  readonly resource: Attributes
}

/** A record that is kept. */
export interface LogEntry {
  readonly record: LogRecord
  readonly origin: LogOrigin
  readonly scope: string
}

/** Log records in memory, with and without a trace, in order of arrival. */
export class Logs {
  #entries: (LogEntry | undefined)[] = []
  /** Where the oldest stands in `#entries`: what is before it has left. */
  #first = 0
  readonly #byTrace = new Map<string, LogEntry[]>()
  #bytes = 0
  /** Records that left to make room. */
  evicted = 0

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.length - this.#first
  }

  /** Answers how many records were taken. */
  add(request: LogsRequest): number {
    let taken = 0
    for (const { resource, scopeLogs } of request.resourceLogs) {
      const { attributes } = resource
      const origin: LogOrigin = {
        service: text(attributes['service.name']) || 'unknown_service',
        host: text(attributes['host.name']),
        process: processKey(attributes),
        environment:
          text(attributes['deployment.environment.name']) || text(attributes['deployment.environment']),
        resource: attributes,
      }
      for (const { scope, logRecords } of scopeLogs) {
        for (const record of logRecords) {
          this.#keep({ record, origin, scope: scope.name })
          taken++
        }
      }
    }
    return taken
  }

  /** All records, in order of arrival. */
  *all(): Generator<LogEntry> {
    for (let i = this.#first; i < this.#entries.length; i++) yield this.#entries[i]!
  }

  /** The records of a trace in order of time. */
  ofTrace(traceId: string): LogEntry[] {
    const entries = this.#byTrace.get(traceId) ?? []
    return [...entries].sort((a, b) => Number(timeOf(a.record) - timeOf(b.record)))
  }

  #keep(entry: LogEntry): void {
    const { traceId } = entry.record
    this.#entries.push(entry)
    this.#bytes += size(entry)
    if (traceId !== '') {
      const known = this.#byTrace.get(traceId)
      if (known === undefined) this.#byTrace.set(traceId, [entry])
      else known.push(entry)
    }
    while (this.size > MAX_RECORDS || this.#bytes > MAX_BYTES) this.#dropOldest()
  }

  #dropOldest(): void {
    const oldest = this.#entries[this.#first]!
    this.#entries[this.#first++] = undefined
    this.#bytes -= size(oldest)
    this.evicted++
    // What a trace has came in the same order: its oldest is this one.
    const { traceId } = oldest.record
    const known = this.#byTrace.get(traceId)
    if (known?.length === 1) this.#byTrace.delete(traceId)
    else known?.shift()
    if (this.#first < MAX_RECORDS) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }
}

/** Nanoseconds since the epoch: when it happened, else when it was observed. */
export function timeOf(record: LogRecord): bigint {
  return record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano
}

function text(value: unknown): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}

/** About what a record takes in memory, as if the resource that it may share were its own. */
function size({ record, origin }: LogEntry): number {
  return 400 + length(record.body) + length(record.attributes) + length(origin.resource)
}

function length(value: unknown): number {
  if (typeof value === 'string') return value.length + 16
  if (value instanceof Uint8Array) return value.length + 64
  if (typeof value !== 'object' || value === null) return 16
  let sum = 32
  for (const [key, inner] of Object.entries(value)) sum += key.length + length(inner)
  return sum
}
