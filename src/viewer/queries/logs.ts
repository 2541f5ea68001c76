import type { AnyValue } from '../../otlp/types.js'
import type { Filter, LogList, LogRow } from '../api.js'
import { compare, lower, parseQuery, type Term } from '../query.js'
import { HttpError } from '../receiver/http-error.js'
import type { LogEntry, Logs } from '../store/logs.js'
import { timeOf } from '../store/logs.js'
import type { Store } from '../store/store.js'
import { limitOf } from './filter.js'
import { firstOf } from './paging.js'
import { collect, leaves, milliseconds, plainAttributes, plainText } from './plain.js'
import { select } from './selection.js'
import { bucketsOf } from './series.js'

const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']

type Test = (entry: LogEntry) => boolean

/**
 * `GET /api/logs`: newest first, 100 unless told, at most 1,000. What of the filter asks for transactions picks the records of their traces.
 * @throws HttpError 400 for a search that asks for what records do not have.
 */
export function logs(store: Store, all: Logs, filter: Filter, traceId: string | null): LogList {
  const test = testOf(store, filter)
  const found: LogEntry[] = []
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const entry of traceId === null ? all.all() : all.ofTrace(traceId)) {
    const time = milliseconds(timeOf(entry.record))
    first = Math.min(first, time)
    last = Math.max(last, time)
    if (test(entry)) found.push(entry)
  }
  const limit = limitOf(filter, traceId === null ? 100 : 1000, 1000)
  const offset = Math.max(0, Math.floor(filter.offset ?? 0))
  const sign = traceId === null ? -1 : 1
  const order = (a: LogEntry, b: LogEntry) => sign * Number(timeOf(a.record) - timeOf(b.record))
  return {
    total: found.length,
    logs: firstOf(found, Math.min(found.length, offset + limit), order)
      .slice(offset)
      .map(logRow),
    series: over(found, filter.from ?? first, filter.to ?? last),
  }
}

/** One record as the page has it. */
export function logRow({ record, origin }: LogEntry): LogRow {
  return {
    time: milliseconds(timeOf(record)),
    severity: severityOf(record),
    level: record.severityNumber,
    body: plainText(record.body) || record.eventName,
    service: origin.service,
    host: origin.host,
    traceId: record.traceId,
    spanId: record.spanId,
    attributes: plainAttributes(record.attributes),
  }
}

/** The severity as its sender wrote it, else the name of its number. */
export function severityOf({ severityText, severityNumber }: LogEntry['record']): string {
  return severityText || nameOf(severityNumber)
}

function nameOf(level: number): string {
  return SEVERITIES[Math.floor((level - 1) / 4)] ?? ''
}

function over(entries: readonly LogEntry[], from: number, to: number): LogList['series'] {
  if (!(to >= from)) return { step: 1000, times: [], levels: [] }
  const { step, times } = bucketsOf(from, to)
  const levels = new Map<string, number[]>()
  for (const { record } of entries) {
    const i = Math.floor((milliseconds(timeOf(record)) - times[0]!) / step)
    if (i < 0 || i >= times.length) continue
    const name = nameOf(record.severityNumber) || 'other'
    const counts = levels.get(name) ?? times.map(() => 0)
    counts[i]!++
    levels.set(name, counts)
  }
  const rank = (name: string) => (name === 'other' ? -1 : SEVERITIES.indexOf(name))
  const sorted = [...levels].sort(([a], [b]) => rank(a) - rank(b))
  return { step, times, levels: sorted.map(([name, count]) => ({ name, count })) }
}

function testOf(store: Store, filter: Filter): Test {
  const { service, environment, host, process, from, to, transaction, type, status, min, max } = filter
  const query = parseQuery(filter.search ?? '')
  if (query.structure !== undefined)
    throw new HttpError(
      400,
      'THREADSPAN_FILTER',
      'What stands in braces asks for spans, and a log record is none',
    )
  const terms = query.terms.map(termTest)
  const byTransaction = [transaction, type, status, min, max].some((value) => value !== undefined)
  const { search: _, ...rest } = filter
  const traces = byTransaction ? new Set(select(store, rest).map((row) => store.traceOf(row).id)) : undefined
  return (entry) => {
    const { origin, record } = entry
    if (service !== undefined && origin.service !== service) return false
    if (environment !== undefined && origin.environment !== environment) return false
    if (host !== undefined && origin.host !== host) return false
    if (process !== undefined && origin.process !== process) return false
    if (traces !== undefined && !traces.has(record.traceId)) return false
    if (from !== undefined || to !== undefined) {
      const time = milliseconds(timeOf(record))
      if (time < (from ?? Number.NEGATIVE_INFINITY) || time > (to ?? Number.POSITIVE_INFINITY)) return false
    }
    return terms.every((test) => test(entry))
  }
}

function termTest(term: Term): Test {
  const test = plainTest(term)
  return term.isNot ? (entry) => !test(entry) : test
}

function plainTest(term: Term): Test {
  if (term.type === 'text') {
    const { text } = term
    return ({ record, origin, scope }) => {
      if (record.traceId.startsWith(text) || record.spanId.startsWith(text)) return true
      const parts = [origin.service, origin.host, scope, severityOf(record), record.eventName]
      collect(record.body, parts)
      collect(record.attributes, parts)
      return lower(parts.join('\n')).includes(text)
    }
  }
  if (term.type === 'state') {
    if (term.state === 'error') return ({ record }) => record.severityNumber >= 17
    if (term.state === 'ok') return ({ record }) => record.severityNumber < 17
    throw new HttpError(
      400,
      'THREADSPAN_FILTER',
      `“is:${term.state}” asks for spans, and a log record is none`,
    )
  }
  const field = FIELDS[term.key]
  if (field !== undefined) return (entry) => compare(term, field(entry))
  return ({ record, origin }) => {
    for (const attributes of [record.attributes, origin.resource]) {
      if (!Object.hasOwn(attributes, term.key)) continue
      if (leaves(attributes[term.key] as AnyValue).some((leaf) => compare(term, leaf))) return true
    }
    return false
  }
}

const FIELDS: Readonly<Record<string, ((entry: LogEntry) => string | number) | undefined>> = Object.assign(
  Object.create(null),
  {
    service: ({ origin }: LogEntry) => origin.service,
    environment: ({ origin }: LogEntry) => origin.environment,
    host: ({ origin }: LogEntry) => origin.host,
    severity: ({ record }: LogEntry) => lower(severityOf(record)),
    level: ({ record }: LogEntry) => record.severityNumber,
    body: ({ record }: LogEntry) => plainText(record.body),
    name: ({ record }: LogEntry) => record.eventName,
    scope: ({ scope }: LogEntry) => scope,
    trace: ({ record }: LogEntry) => record.traceId,
    span: ({ record }: LogEntry) => record.spanId,
  },
)
