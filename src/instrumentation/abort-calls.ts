/** Calls that go out under a deadline or a signal are aborted with it, whether there are spans of them or not. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { createContextKey } from '@opentelemetry/api'
import { contextWithValue } from '../context/context.js'
import { activeContext, inContext } from '../context/deadlines/contexts.js'
import { type Scope, scopeIn } from '../context/deadlines/scope.js'
import { guard, subscribe } from '../hooks/channels.js'
import { guarded } from '../hooks/guarded.js'
import { observeEmit } from '../hooks/observe-emit.js'
import { replaceMethod } from '../hooks/replace-method.js'
import { onNewRequest } from './http-client-new.js'
import { isSuppressed } from './suppressed.js'

/** Marks the requests of a `fetch` that was given the signal itself. */
const KNOWS_KEY = createContextKey('threadspan deadline known')

/** What limits a call that is made now; telemetry's own are not. */
function limiting(): Scope | undefined {
  const active = activeContext()
  return isSuppressed(active) || active.getValue(KNOWS_KEY) === true ? undefined : scopeIn(active)
}

/** Aborts, from now on, what goes out through `fetch`, `node:http`, `node:https` and undici. Once for a thread. */
export function abortCalls(): void {
  guarded('fetch', abortFetch)
  const started = guard('http.client deadline', abortRequest)
  const watch = onNewRequest(started, () => {})
  const dispatched = new WeakMap<UndiciRequest, () => void>()
  const settled = ({ request }: { request: UndiciRequest }): void => {
    dispatched.get(request)?.()
    dispatched.delete(request)
  }
  subscribe({
    'http.client.request.created': ({ request }: { request: ClientRequest }) => {
      watch.notNeeded()
      abortRequest(request)
    },
    'http.client.request.start': ({ request }: { request: ClientRequest }) => abortRequest(request),
    'http.client.response.finish': ({
      request,
      response,
    }: {
      request: ClientRequest
      response: IncomingMessage
    }) => void (requests.has(request) && requests.set(request, response)),
    'undici:request:create': ({ request }: { request: UndiciRequest }) => {
      const scope = limiting()
      if (scope !== undefined)
        dispatched.set(
          request,
          scope.onAbort((reason) => abortUndici(request, reason)),
        )
    },
    'undici:request:trailers': settled,
    'undici:request:error': settled,
  })
}

const FAILED = 'The operation was aborted'

/** A reason as the error that streams are destroyed with. */
function errorOf(reason: unknown): Error {
  if (reason instanceof Error) return reason
  return Object.assign(new Error(FAILED, { cause: reason }), { name: 'AbortError', code: 'ABORT_ERR' })
}

/** Requests that are watched, each with its response once there is one. */
const requests = new WeakMap<ClientRequest, IncomingMessage | undefined>()

function abortRequest(request: ClientRequest): void {
  if (requests.has(request)) return
  const scope = limiting()
  if (scope === undefined) return
  requests.set(request, undefined)
  const stop = scope.onAbort((reason) => {
    // It may be still being made.
    process.nextTick(() => {
      const response = requests.get(request)
      // Its error is the response's, once there is one.
      if (response === undefined) request.destroy(errorOf(reason))
      else if (!response.complete) response.destroy(errorOf(reason))
    })
  })
  observeEmit(request, (event) => {
    if (event === 'close') stop()
  })
}

/** What the channels of undici (versions 5 to 8) tell of a request. */
interface UndiciRequest {
  readonly aborted?: boolean
  readonly completed?: boolean
  /** Once it has a connection. */
  readonly abort?: ((reason: unknown) => void) | null
  onError?(reason: unknown): void
  onResponseError?(reason: unknown): void
}

function abortUndici(request: UndiciRequest, reason: unknown): void {
  // It may be still being made.
  process.nextTick(
    guard('undici deadline', () => {
      if (request.aborted || request.completed) return
      if (request.abort) request.abort(reason)
      else if (request.onResponseError !== undefined) request.onResponseError(reason)
      else request.onError?.(reason)
    }),
  )
}

type Fetch = typeof globalThis.fetch

/** So that it rejects with the reason, as with a signal of the caller's, `fetch` is given the signal. */
function abortFetch(): void {
  if (typeof globalThis.fetch !== 'function') return
  replaceMethod<Fetch>(
    globalThis,
    'fetch',
    (original) =>
      function fetch(this: unknown, ...args: Parameters<Fetch>) {
        const scope = (args as unknown[]).length === 0 ? undefined : guarded('fetch', limiting)
        const init = scope && guarded('fetch', () => withSignal(args[0], args[1], scope.signal))
        if (init === undefined) return Reflect.apply(original, this, args) as ReturnType<Fetch>
        const context = contextWithValue(activeContext(), KNOWS_KEY, true)
        return inContext(context, () => Reflect.apply(original, this, [args[0], init]))
      } as Fetch,
  )
}

/** @returns undefined where `fetch` is going to refuse the arguments, in its own words. */
function withSignal(input: unknown, init: unknown, signal: AbortSignal): RequestInit | undefined {
  if (init !== undefined && init !== null && typeof init !== 'object') return undefined
  const given = (init as RequestInit | null | undefined)?.signal
  const own = given === undefined && input instanceof Request ? input.signal : given
  const both = own === undefined || own === null ? signal : AbortSignal.any([own, signal])
  return Object.create(init ?? null, { signal: { value: both, enumerable: true } }) as RequestInit
}
