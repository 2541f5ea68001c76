import { CLOSED_ATTRIBUTE } from '../../ring/closed-span.js'
import { doubleOf } from '../../sdk/other-agents.js'
import { eachSpan } from '../spans-file.js'
import { counted, cut, type Finding, grouped, listed, note, ok, problem } from './finding.js'
import type { Watched } from './records.js'

/** Spans whose parents are looked for; a longer run is told of without. */
const MOST_SPANS = 1_000_000
/** OTLP's `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`. */
const IS_REMOTE = 0x200
const SERVER = 2
const CONSUMER = 5

/** What to do about each cause. */
const CAUSES: Readonly<Record<string, string>> = {
  'ring-full': 'spans were made faster than they could be taken. Raise THREADSPAN_RING_SIZE, or make fewer',
  'too-large': 'a span alone was larger than a ring. Put less into its attributes and events',
  unencodable: 'a span held what cannot be encoded. Report it',
  'queue-full': 'they waited for too long for what takes them',
  timeout: 'they were not delivered within THREADSPAN_EXIT_TIMEOUT. Raise it',
  collector: 'the telemetry thread died. Report it',
  corrupt: 'a process wrote what cannot be read. Report it',
  file: 'the disk that holds temporary files is full',
  'switched-off': 'the server of central configuration has switched sending off (send_traces)',
}

interface Child {
  readonly name: string
  readonly parent: string
  readonly isRemote: boolean
  readonly isEntry: boolean
}

/** The spans of a watched program, as far as it takes to find those without a parent. */
class Spans {
  count = 0
  readonly traces = new Set<string>()
  readonly closed: string[] = []
  /** Names of instrumentations of ours whose spans another package has made as well. */
  readonly doubled = new Set<string>()
  private readonly ids = new Set<string>()
  private readonly children: Child[] = []

  /** @returns undefined where there are too many to know. */
  orphans(): Child[] | undefined {
    return this.count > MOST_SPANS ? undefined : this.children.filter(({ parent }) => !this.ids.has(parent))
  }

  static async in(path: string): Promise<Spans> {
    const spans = new Spans()
    const isWhole = await eachSpan(path, ({ span, scope }) => {
      if (++spans.count > MOST_SPANS) return
      spans.traces.add(span.traceId)
      spans.ids.add(span.spanId)
      const double = doubleOf(scope)
      if (double !== undefined) spans.doubled.add(double)
      if (Object.hasOwn(span.attributes, CLOSED_ATTRIBUTE)) spans.closed.push(span.name)
      if (span.parentSpanId === '') return
      spans.children.push({
        name: span.name,
        parent: span.parentSpanId,
        isRemote: (span.flags & IS_REMOTE) !== 0,
        isEntry: span.kind === SERVER || span.kind === CONSUMER,
      })
    })
    if (!isWhole) spans.count = Number.POSITIVE_INFINITY
    return spans
  }
}

/**
 * What became of the spans of a watched program.
 *
 * @param traceparent that of the environment in which the program was started.
 */
export async function checkSpans(
  path: string,
  watched: Watched,
  traceparent: string | undefined,
): Promise<Finding[]> {
  const spans = await Spans.in(path)
  const dropped = new Map<string, number>()
  for (const { dropped: causes } of watched.accounts)
    for (const [cause, count] of causes) dropped.set(cause, (dropped.get(cause) ?? 0) + count)
  const lost = [...dropped.values()].reduce((sum, count) => sum + count, 0)
  const findings = [...summary(spans, lost)]
  for (const name of spans.doubled) {
    if (watched.threads.every(({ disabled }) => disabled.includes(name))) continue
    findings.push(
      problem(
        `@opentelemetry/instrumentation-${name} makes spans of what is followed already: do not register it, or set OTEL_NODE_DISABLED_INSTRUMENTATIONS=${name}`,
      ),
    )
  }
  for (const [cause, count] of dropped) {
    findings.push(problem(`${count} dropped (${cause}): ${CAUSES[cause] ?? 'see docs/endings.md'}`))
  }
  if (spans.closed.length > 0) {
    findings.push(
      note(
        `${counted(spans.closed.length, 'span')} had not ended when their thread or process did, and were closed with the reason: ${listed(spans.closed)}`,
      ),
    )
  }
  return [...findings, ...checkParents(spans, watched, traceparent, lost)]
}

function summary({ count, traces }: Spans, lost: number): Finding[] {
  if (count === 0 && lost === 0) {
    return [
      note(
        'No span was made. Requests, Workers and children make some by themselves within a request; withTransaction() and withSpan() make your own',
      ),
    ]
  }
  if (count > MOST_SPANS) return [note(`More than ${MOST_SPANS} spans: their parents were not looked for`)]
  const made = `${counted(count + lost, 'span')} in ${counted(traces.size, 'trace')}`
  return [lost === 0 ? ok(`${made}, all delivered`) : problem(`${made}: ${lost} did not arrive`)]
}

function checkParents(
  spans: Spans,
  { loaded }: Watched,
  traceparent: string | undefined,
  lost: number,
): Finding[] {
  const orphans = spans.orphans()
  if (orphans === undefined) return []
  const given = traceparent?.split('-')[2]
  const hasSdk = loaded.some(({ what }) => what === 'sdk')
  const isOutside = ({ parent, isRemote, isEntry }: Child) => parent === given || (isRemote && isEntry)
  const outside = orphans.filter(isOutside)
  const inside = orphans.filter((orphan) => !isOutside(orphan))
  const findings: Finding[] = []
  if (outside.length > 0) {
    const names = listed(outside.map(({ name }) => name))
    findings.push(
      note(
        `${counted(outside.length, 'span')} with a parent outside of the program, in its caller: ${names}`,
      ),
    )
  }
  if (inside.length === 0) {
    if (spans.count > 0) findings.push(ok('No orphans: every parent of a span has arrived'))
    return findings
  }
  const groups = grouped(inside, ({ name, isRemote }) => `${isRemote} ${name}`)
  const told = [...groups.values()].map((group): Finding => {
    const { name, isRemote } = group[0]!
    const text = `Orphans, whose parent never arrived: ${listed(group.map(() => name))}. `
    if (hasSdk)
      return note(`${text}It may be a span of the application's own SDK, which goes to that one's exporter`)
    if (lost > 0) return problem(`${text}It may be among those that were dropped: see to them first`)
    if (isRemote) {
      return note(
        `${text}It came with a message or an environment that says it is another service's; where that is not so, pass remote: false`,
      )
    }
    return problem(
      `${text}Its context was passed on, and it is no span of this run: a carrier that was kept from before, an id made by hand, or another tracer's. Take capture() where the work begins`,
    )
  })
  return [...findings, ...cut(told)]
}
