/** Calls that are made. */
import {
  context as contextApi,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapSetter,
} from '@opentelemetry/api'
import { contextWithSpan } from '../../context/context.js'
import { capture, type Snapshot } from '../../context/snapshot.js'
import { redactText } from '../../exceptions/redact-text.js'
import { guarded } from '../../hooks/guarded.js'
import type { Method } from '../../hooks/patch-method.js'
import { isSuppressed } from '../suppressed.js'
import { readTarget, type Target } from './target.js'
import { callAttributes, codeOf, current, methodOf, type Status } from './tracer.js'

/** gRPC's `Metadata`. */
interface Metadata {
  clone(): Metadata
  set(key: string, value: string): void
}

type Listener = Readonly<Record<string, unknown>>

/** A call, around which are the application's interceptors. */
interface Call {
  start: (metadata: Metadata, listener?: Listener) => void
}

const setter: TextMapSetter<Metadata> = { set: (metadata, key, value) => metadata.set(key, value) }

/** By what their users have asked for: there are few. */
const targets = new Map<string, Target>()
const MOST_TARGETS = 1000

/** `getInterceptingCall(args, method, options, channel)`. */
export function callingClient(original: Method): Method {
  return function (...args) {
    const call = original.apply(this, args) as Call
    const [, method, , channel] = args
    if (current.tracer !== undefined && !isSuppressed(contextApi.active()))
      guarded('grpc', () => follow(call, (method as { path?: unknown }).path, channel))
    return call
  }
}

/** What is heard of the call is heard by whoever made it; the span ends with its status. */
function follow(call: Call, path: unknown, channel: unknown): void {
  const start = call.start
  call.start = (metadata, listener) => {
    const begun = guarded('grpc', () => begin(path, channel, metadata))
    if (begun === undefined) return Reflect.apply(start, call, [metadata, listener])
    const { span, given } = begun
    const around = listening(listener ?? {}, capture(), span)
    try {
      return Reflect.apply(start, call, [given, around])
    } catch (error) {
      end(span, { code: 2, details: String(error) })
      throw error
    }
  }
}

interface Begun {
  readonly span: Span
  /** The application's metadata, with that of the context. */
  readonly given: Metadata
}

function begin(path: unknown, channel: unknown, metadata: Metadata): Begun | undefined {
  const active = contextApi.active()
  const method = methodOf(path)
  const { address, port } = targetOf(channel)
  const options = { kind: SpanKind.CLIENT, attributes: callAttributes(method, address, port) }
  const span = current.tracer?.startSpan(method, options, active)
  if (span === undefined) return undefined
  const given = metadata.clone()
  propagation.inject(contextWithSpan(active, span), given, setter)
  return { span, given }
}

function targetOf(channel: unknown): Partial<Target> {
  const text = String((channel as { getTarget?(): unknown }).getTarget?.() ?? '')
  let target = targets.get(text)
  if (target === undefined) {
    target = readTarget(text)
    if (targets.size < MOST_TARGETS) targets.set(text, target)
  }
  return target
}

function listening(listener: Listener, snapshot: Snapshot, span: Span): Listener {
  const around: Record<string, unknown> = {}
  for (const [name, heard] of Object.entries(listener)) {
    if (typeof heard !== 'function') continue
    around[name] = (...args: unknown[]) => snapshot.run(() => Reflect.apply(heard, listener, args))
  }
  const { onReceiveStatus } = around
  around['onReceiveStatus'] = (status: Status, ...rest: unknown[]) => {
    guarded('grpc', () => end(span, status))
    if (typeof onReceiveStatus === 'function') onReceiveStatus(status, ...rest)
  }
  return around
}

function end(span: Span, status: Status): void {
  const code = codeOf(status)
  span.setAttribute('rpc.status_code', code)
  if (code !== 'OK') {
    span.setAttribute('error.type', code)
    span.setStatus({ code: SpanStatusCode.ERROR, message: redactText(String(status.details ?? '')) })
  }
  span.end()
}
