import type { TraceSpan } from '../../terminal/waterfall.js'
import type { Sent } from './load.js'

const SERVER = 2
const CLIENT = 3
const ERROR = 2

/** Tasks that one `/fanout` gives to the pool. */
const TASKS = 8

/** What the two processes call themselves. */
export const SERVICE = 'threadspan-demo'
export const UPSTREAM = 'threadspan-demo-upstream'

/**
 * Holds the spans that arrived against the requests that were sent. The demo is a test of itself: of real threads, processes and
 * connections, on the machine of whoever runs it.
 *
 * @returns what is missing or wrong, one sentence each; empty when all is well.
 */
export function findProblems(spans: readonly TraceSpan[], sent: Sent): string[] {
  const traces = new Map<string, TraceSpan[]>()
  for (const member of spans) {
    const members = traces.get(member.span.traceId)
    if (members === undefined) traces.set(member.span.traceId, [member])
    else members.push(member)
  }
  return [
    ...checkRoutes(spans, sent),
    ...checkParents(traces),
    ...checkErrors(spans, sent),
    ...checkSql(spans, sent),
    ...checkUpstream(traces),
    ...checkFanouts(traces),
  ]
}

/** The traces of `/fanout`, in the order in which they began. */
export function fanoutTraces(spans: readonly TraceSpan[]): string[] {
  return spans
    .filter((span) => isTransaction(span, 'GET /fanout'))
    .sort((a, b) => Number(a.span.startTimeUnixNano - b.span.startTimeUnixNano))
    .map(({ span }) => span.traceId)
}

function isTransaction({ span, resource }: TraceSpan, name: string): boolean {
  return span.kind === SERVER && span.name === name && resource.attributes['service.name'] === SERVICE
}

function checkRoutes(spans: readonly TraceSpan[], sent: Sent): string[] {
  return [...sent].flatMap(([route, count]) => {
    const arrived = spans.filter((span) => isTransaction(span, `GET ${route}`)).length
    return arrived === count ? [] : [`GET ${route} was sent ${count} times, but has ${arrived} transactions`]
  })
}

function checkParents(traces: ReadonlyMap<string, TraceSpan[]>): string[] {
  const problems: string[] = []
  for (const [traceId, members] of traces) {
    const ids = new Set(members.map(({ span }) => span.spanId))
    if (ids.size !== members.length) problems.push(`Trace ${traceId} has spans twice`)
    const roots = members.filter(({ span }) => span.parentSpanId === '')
    if (roots.length !== 1) problems.push(`Trace ${traceId} has ${roots.length} roots rather than one`)
    for (const { span } of members) {
      if (span.parentSpanId !== '' && !ids.has(span.parentSpanId)) {
        problems.push(`The parent of "${span.name}" in trace ${traceId} did not arrive`)
      }
      if (span.endTimeUnixNano < span.startTimeUnixNano) {
        problems.push(`"${span.name}" in trace ${traceId} ends before it starts`)
      }
    }
  }
  return problems
}

function checkErrors(spans: readonly TraceSpan[], sent: Sent): string[] {
  const told = spans.filter(
    (member) =>
      isTransaction(member, 'GET /5xx') &&
      member.span.status.code === ERROR &&
      member.span.events.some(
        ({ attributes }) => attributes['exception.message'] === 'The warehouse is on fire',
      ),
  ).length
  const expected = sent.get('/5xx') ?? 0
  return told === expected ? [] : [`${expected} requests to /5xx threw, but ${told} transactions tell of it`]
}

function checkSql(spans: readonly TraceSpan[], sent: Sent): string[] {
  const statements = spans.filter(({ span }) => typeof span.attributes['db.query.text'] === 'string').length
  const asked = ['/sql-write', '/sql-read', '/sql-group'].reduce(
    (sum, route) => sum + (sent.get(route) ?? 0),
    0,
  )
  // One more makes the table as the service starts, where there is SQL at all.
  const expected = asked === 0 ? 0 : asked + 1
  return statements === expected ? [] : [`${expected} SQL statements were run, but ${statements} are spans`]
}

function checkUpstream(traces: ReadonlyMap<string, TraceSpan[]>): string[] {
  const problems: string[] = []
  for (const [traceId, members] of traces) {
    const root = members.find((member) => isTransaction(member, 'GET /upstream'))?.span
    if (root === undefined) continue
    const call = members.find(({ span }) => span.kind === CLIENT && span.parentSpanId === root.spanId)?.span
    const answer = members.find(
      ({ span, resource }) =>
        resource.attributes['service.name'] === UPSTREAM && span.parentSpanId === call?.spanId,
    )
    if (call === undefined) problems.push(`Trace ${traceId} of /upstream has no call to the other service`)
    else if (answer === undefined) problems.push(`Trace ${traceId} of /upstream ends at the call`)
  }
  return problems
}

function checkFanouts(traces: ReadonlyMap<string, TraceSpan[]>): string[] {
  const problems: string[] = []
  for (const [traceId, members] of traces) {
    const root = members.find((member) => isTransaction(member, 'GET /fanout'))
    if (root === undefined) continue
    const expect = (what: string, found: number, least: number) => {
      if (found !== least)
        problems.push(`Trace ${traceId} of /fanout has ${found} ${what} rather than ${least}`)
    }
    const main = root.span.attributes['thread.id']
    const pid = root.resource.attributes['process.pid']
    const own = members.filter(({ resource }) => resource.attributes['process.pid'] === pid)
    const inThreads = own.filter(({ span }) => span.attributes['thread.id'] !== main)
    const calls = inThreads.filter(({ span }) => span.kind === CLIENT)
    expect('spans around tasks in worker threads', inThreads.length - calls.length, TASKS)
    expect('HTTP calls from worker threads', calls.length, TASKS)
    const callIds = new Set(calls.map(({ span }) => span.spanId))
    const answered = members.filter(
      ({ span, resource }) =>
        resource.attributes['service.name'] === UPSTREAM && callIds.has(span.parentSpanId),
    )
    expect('of these calls continued by the other service', answered.length, TASKS)
    const reported = members.filter(
      ({ span, resource }) =>
        resource.attributes['process.pid'] !== pid && (span.name === 'make report' || span.name === 'add up'),
    )
    expect('spans of the child process', reported.length, 2)
    if (new Set(inThreads.map(({ span }) => span.attributes['thread.id'])).size < 2) {
      problems.push(`Trace ${traceId} of /fanout was at work in one thread only`)
    }
  }
  return problems
}
