/** What spans of queues have in common, by OpenTelemetry's semantic conventions for messaging (in development). */
import {
  type Attributes,
  type Context,
  context as contextApi,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { recordError } from '../context/exception.js'
import type { Snapshot } from '../context/snapshot.js'
import { contextOfLocalRoot } from '../context/transaction.js'
import { messageOf } from '../exceptions/error-class.js'
import { redactText } from '../exceptions/redact-text.js'
import { guarded } from '../hooks/guarded.js'
import { errorType } from './error-type.js'
import { arrivedSnapshot, type Fields } from './messaging-carrier.js'
import { isSuppressed } from './suppressed.js'
import type { Failure } from './traced-channel.js'

/** Where messages go, or come from. */
export interface Destination {
  /** `messaging.system`. */
  readonly system: 'bullmq' | 'rabbitmq'
  /** Queue, topic or exchange; undefined where it is several, or an unnamed one. */
  readonly name: string | undefined
  /** The name, or a part of it, of which there are few: spans are called by it. */
  readonly template?: string
  /** Host of the server. */
  readonly address?: unknown
  readonly port?: unknown
}

/** What is done with messages. */
export interface Work {
  /** `messaging.operation.name`: what the library calls it. */
  readonly operation: string
  readonly destination: Destination
  readonly attributes?: Attributes
}

function nameOf({ operation, destination }: Work): string {
  const { name, template = name } = destination
  return template === undefined || template === '' ? operation : `${operation} ${template}`
}

function attributesOf({ operation, destination, attributes }: Work, type: string): Attributes {
  const { system, name, template, address, port } = destination
  const all: Attributes = {
    'messaging.system': system,
    'messaging.operation.name': operation,
    'messaging.operation.type': type,
  }
  if (name !== undefined) all['messaging.destination.name'] = name
  if (template !== undefined && template !== '') all['messaging.destination.template'] = template
  if (typeof address === 'string' && address !== '') {
    all['server.address'] = address
    if (Number(port) > 0) all['server.port'] = Number(port)
  }
  return Object.assign(all, attributes)
}

/**
 * Starts the span of messages that are sent, the child of what is active.
 *
 * @param isContext whether its context goes along with them. It does not where the application has given them another one.
 * @returns undefined where nothing is to be traced.
 */
export function startSend(tracer: Tracer, work: Work, isContext: boolean): Span | undefined {
  const active = contextApi.active()
  if (isSuppressed(active)) return undefined
  const kind = isContext ? SpanKind.PRODUCER : SpanKind.CLIENT
  return tracer.startSpan(nameOf(work), { kind, attributes: attributesOf(work, 'send') }, active)
}

/** How messages were received that the application had asked for. */
export interface Received {
  /** Milliseconds of `now()`, when it asked. */
  readonly start: number
  /** What was active then. */
  readonly context: Context
  readonly messages: readonly Arrived[]
  readonly failure?: Failure
}

/**
 * Makes the span of messages that the application has asked for, the child of what was active; it links to those that sent them. To have asked
 * for messages, got none and failed at nothing is of interest as part of something only.
 */
export function received(tracer: Tracer, work: Work, { start, context, messages, failure }: Received): void {
  if (isSuppressed(context)) return
  if (messages.length === 0 && failure === undefined && trace.getSpan(context) === undefined) return
  const links = linksTo(messages.map(({ fields }) => arrivedSnapshot(fields, undefined).context))
  const attributes = attributesOf(work, 'receive')
  const options = { kind: SpanKind.CLIENT, attributes, links, startTime: start }
  endCall(tracer.startSpan(nameOf(work), options, context), failure)
}

/**
 * Ends the span of a call. One that failed has the error's type and message: the error leaves to whoever called, and is recorded with its
 * stack where it arrives.
 */
export function endCall(span: Span, failure?: Failure): void {
  if (failure !== undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: redactText(messageOf(failure.error)) })
    // Whatever was thrown may have getters that throw.
    guarded('error type', () => span.setAttribute('error.type', errorType(failure.error)))
  }
  span.end()
}

/** A message, or several that came together, being processed. */
export interface Processing {
  /** The CONSUMER span, which is the transaction. */
  readonly span: Span
  /** What the processing runs in. */
  readonly snapshot: Snapshot
}

/** What a message that arrived brings along. */
export interface Arrived {
  readonly fields: Fields
  readonly values?: unknown
}

/**
 * Starts the transaction in which messages are processed.
 *
 * @param arrived of a single message: the span that sent it is the parent.
 * @param isLinked makes the transaction begin a trace of its own, which only links to that span: for what is one of many from one origin.
 */
export function startProcess(tracer: Tracer, work: Work, arrived: Arrived, isLinked = false): Processing {
  const snapshot = arrivedSnapshot(arrived.fields, arrived.values)
  let { context } = snapshot
  let links: Link[] = []
  if (isLinked) {
    links = linksTo([context])
    context = trace.deleteSpan(context)
  }
  const name = nameOf(work)
  const options = { kind: SpanKind.CONSUMER, attributes: attributesOf(work, 'process'), links }
  const span = tracer.startSpan(name, options, context)
  return { span, snapshot: snapshot.withContext(contextOfLocalRoot(context, span, name)) }
}

/** Links to the spans that are active in `contexts`. */
export function linksTo(contexts: readonly Context[]): Link[] {
  return contexts
    .map((context) => trace.getSpanContext(context))
    .filter((context): context is SpanContext => context !== undefined && trace.isSpanContextValid(context))
    .map((context) => ({ context }))
}

/** Ends a transaction, by what the processing has come to. */
export function endProcess({ span }: Processing, failure?: Failure): void {
  if (failure !== undefined) recordError(span, failure.error)
  span.end()
}
