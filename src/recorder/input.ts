/** What applications hand to a span, read so that nothing throws: what cannot be read counts as not given. */
import type { Attributes, Context, Exception, Link, Span, SpanContext, SpanOptions } from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { textOf } from '../core/text.js'
import { ownTracestate } from '../core/tracestate.js'
import { toldStack } from '../exceptions/told-stack.js'

/** A property of what may be anything; undefined, and counted as `span.input`, where reading it fails. */
export function read(from: unknown, name: string): unknown {
  try {
    return (from as Record<string, unknown> | null | undefined)?.[name]
  } catch {
    count('span.input')
    return undefined
  }
}

const TRACE_ID = /^[0-9a-f]{32}$/i
const SPAN_ID = /^[0-9a-f]{16}$/i
const ZERO_TRACE = '0'.repeat(32)
const ZERO_SPAN = '0'.repeat(16)

/**
 * A copy of a SpanContext; undefined where its ids are none. Ids of zeros are kept: the specification wants links with such ones. A trace
 * state that is none (JSON leaves an empty object of it) is left out.
 */
export function contextOf(given: unknown): SpanContext | undefined {
  const traceId = read(given, 'traceId')
  const spanId = read(given, 'spanId')
  if (typeof traceId !== 'string' || typeof spanId !== 'string') return undefined
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId)) return undefined
  const flags = read(given, 'traceFlags')
  const traceState = ownTracestate(read(given, 'traceState'))
  return {
    traceId: traceId.toLowerCase(),
    spanId: spanId.toLowerCase(),
    traceFlags: typeof flags === 'number' ? flags & 255 : 0,
    isRemote: read(given, 'isRemote') === true,
    ...(traceState === undefined ? undefined : { traceState }),
  }
}

/** The context of a parent, which is whatever lies under the span's key; undefined where it is not valid. */
export function parentContextOf(parent: unknown): SpanContext | undefined {
  let context: SpanContext | undefined
  try {
    context = contextOf((parent as { spanContext(): unknown }).spanContext())
  } catch {
    count('span.input')
    return undefined
  }
  if (context === undefined || context.traceId === ZERO_TRACE || context.spanId === ZERO_SPAN)
    return undefined
  return context
}

/**
 * The ids of the span of a context, for what is told beside it; undefined where there are none that are valid. Never throws: anybody can put
 * anything into a context, or hand over what is none.
 */
export function idsIn(
  context: Context,
  spanOf: (context: Context) => Span | undefined,
): SpanContext | undefined {
  try {
    const span = spanOf(context)
    if (span === undefined) return undefined
    const { traceId, spanId, traceFlags } = span.spanContext()
    if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId)) return undefined
    if (traceId === ZERO_TRACE || spanId === ZERO_SPAN) return undefined
    return {
      traceId: traceId.toLowerCase(),
      spanId: spanId.toLowerCase(),
      traceFlags: typeof traceFlags === 'number' ? traceFlags & 255 : 0,
    }
  } catch {
    count('span.input')
    return undefined
  }
}

/** A link's parts; undefined where it has no context. */
export function linkOf(
  link: unknown,
):
  | { readonly context: SpanContext; readonly attributes: Attributes | undefined; readonly dropped: number }
  | undefined {
  const context = contextOf(read(link, 'context'))
  if (context === undefined) return undefined
  const dropped = read(link, 'droppedAttributesCount')
  return {
    context,
    attributes: read(link, 'attributes') as Attributes | undefined,
    dropped: typeof dropped === 'number' && dropped >= 0 && dropped <= 0xffffffff ? Math.floor(dropped) : 0,
  }
}

/** Most links that are looked at of a list: it may lie about its length. */
const MOST_LINKS = 10_000

/** Calls `take` with each element of a list of links. */
export function eachLink(links: readonly Link[], take: (link: Link) => void): void {
  try {
    if (!Array.isArray(links)) return
    const length = Math.min(links.length, MOST_LINKS)
    for (let i = 0; i < length; i++) take(links[i]!)
  } catch {
    count('span.input')
  }
}

/** OTLP's number of a kind: OpenTelemetry's API kind plus one; what is none is INTERNAL. */
export function kindOf(kind: unknown): number {
  return kind === 0 || kind === 1 || kind === 2 || kind === 3 || kind === 4 ? kind + 1 : 1
}

/** Options of a span that can be read without harm. */
export function optionsOf(options: unknown): SpanOptions {
  return {
    kind: read(options, 'kind'),
    attributes: read(options, 'attributes'),
    links: read(options, 'links'),
    startTime: read(options, 'startTime'),
    root: read(options, 'root'),
  } as SpanOptions
}

/** The attributes of an `exception` event (semantic conventions): the type is the class; a code alone has to do where there is no class. */
export function exceptionOf(exception: Exception): Attributes {
  const attributes: Attributes = {}
  if (typeof exception === 'string') attributes['exception.message'] = exception
  else if (typeof exception === 'object' || typeof exception === 'function') {
    const type = read(exception, 'name') ?? read(exception, 'code')
    const message = read(exception, 'message')
    const stack = read(exception, 'stack')
    if (type !== undefined && type !== null) attributes['exception.type'] = textOf(type)
    if (message) attributes['exception.message'] = textOf(message)
    const told = stack ? toldStack(textOf(stack)) : ''
    if (told !== '') attributes['exception.stacktrace'] = told
  }
  return attributes
}
