import type { AnyValue, Resource, Span, TraceRequest } from '../otlp/types.js'
import { printable } from './text.js'

/** A span and the process that it is from. */
export interface TraceSpan {
  readonly span: Span
  readonly resource: Resource
  /** Name of the instrumentation scope. */
  readonly scope: string
}

/** One thread of one process. */
export interface Lane {
  readonly process: Process
  readonly thread: string
  /** In order of appearance. */
  readonly index: number
}

/** One process, by its Resource. */
export interface Process {
  /** Service and process id. */
  readonly label: string
  /** Process id, or what else there is that is short. */
  readonly short: string
}

/** An interval of the trace, in milliseconds since its begin. */
export interface Interval {
  readonly start: number
  readonly end: number
}

/** A span in its place. Times are milliseconds since the begin of the trace. */
export interface WaterfallNode extends Interval {
  readonly span: Span
  readonly lane: Lane
  readonly name: string
  /** Milliseconds in a queue before the start. */
  readonly wait: number
  readonly error: boolean
  /** Its parent is not among the spans, though it is not remote. */
  readonly orphan: boolean
  /** In order of submission. */
  readonly children: WaterfallNode[]
  /** Its ancestors go round in a circle, which was cut here. */
  cyclic: boolean
  /** The spans of its subtree, itself included. */
  size: number
  /** When it was itself at work: no child ran, and none waited in a queue. */
  work: Interval[]
}

/** One trace, ready to be drawn. */
export interface WaterfallTrace {
  readonly traceId: string
  /** The node that names the trace. */
  readonly root: WaterfallNode
  readonly roots: readonly WaterfallNode[]
  readonly nodes: readonly WaterfallNode[]
  readonly lanes: readonly Lane[]
  /** Milliseconds from the first submission to the last end. */
  readonly wall: number
  /** Milliseconds that all spans were at work, added up. */
  readonly busy: number
}

/** The spans of a decoded request, each with its Resource. */
export function spansOf(request: TraceRequest): TraceSpan[] {
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => ({ span, resource, scope: scope.name }))),
  )
}

/** The trace that has most to show: the most threads, then the most spans. Undefined when there are no spans. */
export function pickTrace(spans: readonly TraceSpan[]): string | undefined {
  const traces = new Map<string, { threads: Set<string>; spans: number }>()
  for (const source of spans) {
    const { traceId } = source.span
    const seen = traces.get(traceId) ?? { threads: new Set(), spans: 0 }
    seen.threads.add(`${processKey(source)}/${threadKey(source.span)}`)
    seen.spans++
    traces.set(traceId, seen)
  }
  const [best] = [...traces].sort(([, a], [, b]) => b.threads.size - a.threads.size || b.spans - a.spans)
  return best?.[0]
}

const string = (value: AnyValue | undefined): string =>
  value === undefined || value === null ? '' : printable(String(value))

function processKey({ resource: { attributes } }: TraceSpan): string {
  const names = ['service.instance.id', 'host.name', 'process.pid', 'service.name']
  return names.map((name) => string(attributes[name])).join('\n')
}

const threadKey = ({ attributes }: Span): string =>
  string(attributes['thread.id'] ?? attributes['thread.name'])

function threadLabel({ attributes }: Span): string {
  const name = string(attributes['thread.name'])
  const id = string(attributes['thread.id'])
  if (name !== '') return name
  if (id === '') return '-'
  return id === '0' ? 'main' : `thread ${id}`
}

class Lanes {
  readonly list: Lane[] = []
  readonly #processes = new Map<string, Process>()
  readonly #lanes = new Map<string, Lane>()

  of(source: TraceSpan): Lane {
    const processId = processKey(source)
    const key = `${processId}\n${threadKey(source.span)}`
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      let process = this.#processes.get(processId)
      if (process === undefined) {
        const service = string(source.resource.attributes['service.name']) || 'unknown'
        const pid = string(source.resource.attributes['process.pid'])
        process = { label: `${service} ${pid}`.trim(), short: pid || service }
        this.#processes.set(processId, process)
      }
      lane = { process, thread: threadLabel(source.span), index: this.list.length }
      this.#lanes.set(key, lane)
      this.list.push(lane)
    }
    return lane
  }
}

const IS_REMOTE = 0x200

/** Milliseconds; longer waits are no waits: 24 days. */
const LONGEST_WAIT = 2 ** 31

function waitOf({ attributes }: Span): number {
  const wait = attributes['threadspan.queue.wait']
  return typeof wait === 'number' && wait > 0 && wait < LONGEST_WAIT ? wait : 0
}

/** When the first span was submitted, in nanoseconds since the epoch. Spans that never got a time do not count. */
function origin(spans: readonly TraceSpan[]): bigint {
  let first: bigint | undefined
  for (const { span } of spans) {
    if (span.startTimeUnixNano === 0n) continue
    const submit = span.startTimeUnixNano - BigInt(Math.round(waitOf(span) * 1e6))
    if (first === undefined || submit < first) first = submit
  }
  return first ?? 0n
}

/** Builds one trace. Orphans and circles become roots of their own; of spans with one id, the first has the children. */
export function buildTrace(spans: readonly TraceSpan[], traceId: string): WaterfallTrace | undefined {
  const own = spans.filter(({ span }) => span.traceId === traceId)
  if (own.length === 0) return undefined
  const from = origin(own)
  const sorted = own.toSorted((a, b) => Number(a.span.startTimeUnixNano - b.span.startTimeUnixNano))
  const ids = new Set(sorted.map(({ span }) => span.spanId))
  const lanes = new Lanes()
  const byId = new Map<string, WaterfallNode>()
  const nodes = sorted.map((source): WaterfallNode => {
    const { span } = source
    const start = span.startTimeUnixNano === 0n ? 0 : Number(span.startTimeUnixNano - from) / 1e6
    const node: WaterfallNode = {
      span,
      lane: lanes.of(source),
      name: printable(span.name) || '(no name)',
      start,
      end: Math.max(start, Number(span.endTimeUnixNano - from) / 1e6),
      wait: waitOf(span),
      error: span.status.code === 2,
      orphan: span.parentSpanId !== '' && !ids.has(span.parentSpanId) && (span.flags & IS_REMOTE) === 0,
      children: [],
      cyclic: false,
      size: 1,
      work: [],
    }
    if (!byId.has(span.spanId)) byId.set(span.spanId, node)
    return node
  })

  const roots = link(nodes, byId)
  let wall = 0
  let busy = 0
  for (const node of nodes) {
    node.work = workOf(node)
    wall = Math.max(wall, node.end)
    for (const { start, end } of node.work) busy += end - start
  }
  const root = roots.find(({ span }) => span.parentSpanId === '') ?? longest(roots)
  return { traceId, root, roots, nodes, lanes: lanes.list, wall, busy }
}

const longest = (nodes: readonly WaterfallNode[]): WaterfallNode =>
  nodes.reduce((best, node) => (node.end - node.start > best.end - best.start ? node : best))

const submitted = (node: WaterfallNode): number => node.start - node.wait

/** Hangs every node on its parent; what no root reaches is part of a circle, which is cut at its first span. */
function link(nodes: readonly WaterfallNode[], byId: ReadonlyMap<string, WaterfallNode>): WaterfallNode[] {
  const roots: WaterfallNode[] = []
  for (const node of nodes) {
    const parent = byId.get(node.span.parentSpanId)
    if (parent === undefined) roots.push(node)
    else parent.children.push(node)
  }
  const reached = new Set<WaterfallNode>()
  const visit = (root: WaterfallNode): void => {
    const order: WaterfallNode[] = []
    const open = [root]
    reached.add(root)
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      order.push(node)
      const { children } = node
      const kept = children.filter((child) => !reached.has(child))
      kept.sort((a, b) => submitted(a) - submitted(b) || a.end - b.end)
      children.length = 0
      for (const child of kept) {
        reached.add(child)
        children.push(child)
        open.push(child)
      }
    }
    for (const node of order.reverse()) {
      for (const child of node.children) node.size += child.size
    }
  }
  for (const root of roots) visit(root)
  for (const node of nodes) {
    if (reached.has(node)) continue
    node.cyclic = true
    roots.push(node)
    visit(node)
  }
  return roots
}

function workOf({ start, end, children }: WaterfallNode): Interval[] {
  const work: Interval[] = []
  let reached = start
  for (const child of children) {
    const until = Math.min(end, submitted(child))
    if (until > reached) work.push({ start: reached, end: until })
    reached = Math.max(reached, Math.min(end, child.end))
  }
  if (end > reached) work.push({ start: reached, end })
  return work
}
