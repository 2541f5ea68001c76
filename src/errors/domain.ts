import type { AsyncResource } from 'node:async_hooks'
import type { Span } from '@opentelemetry/api'
import type { Domain } from 'async-hook-domain'
import { warnOnce } from '../core/log.js'
import { shared } from '../core/shared.js'

type DomainClass = typeof Domain
type AsyncHooks = typeof import('node:async_hooks')

/** A domain that follows asynchronous work for a span, and handles nothing. */
interface SpanDomain extends Domain {
  readonly span: Span
}

const state = shared('errors.domains', () => ({
  make: undefined as ((span: Span) => SpanDomain) | undefined,
  isMissing: false,
  /** Those that are alive, the latest last. */
  live: new Set<SpanDomain>(),
}))

const hooks = (): AsyncHooks => process.getBuiltinModule('node:async_hooks')

/**
 * Calls `fn` in a domain of `async-hook-domain`: its asynchronous work is known by its execution ids, by which an error that comes up in it is
 * traced to the transaction where its context was lost. `async_hooks` is off again when the work of the last one is gone.
 */
export function inDomain<T>(span: Span, fn: () => T): T {
  if (state.make === undefined && !state.isMissing) state.make = spanDomains()
  const { make } = state
  if (make === undefined) return fn()
  const { AsyncResource } = hooks()
  // An execution of its own, so that what the caller does beside is not of the domain. Its end is told by hand: one that the
  // garbage collector tells of holds only where hooks were on before.
  const resource: AsyncResource = new AsyncResource('threadspan.transaction', { requireManualDestroy: true })
  try {
    return resource.runInAsyncScope(() => {
      make(span)
      return fn()
    })
  } finally {
    resource.emitDestroy()
  }
}

/** The span of the innermost domain that the current execution belongs to. */
export function spanOfExecution(): Span | undefined {
  if (state.live.size === 0) return undefined
  const id = hooks().executionAsyncId()
  let found: Span | undefined
  for (const domain of state.live) if (domain.ids.has(id)) found = domain.span
  return found
}

/** Loads the package. @returns what makes domains, or undefined where it cannot be had. */
function spanDomains(): ((span: Span) => SpanDomain) | undefined {
  let Base: DomainClass
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    Base = (createRequire(import.meta.url)('async-hook-domain') as { Domain: DomainClass }).Domain
  } catch (error) {
    state.isMissing = true
    warnOnce(
      'THREADSPAN_ERRORS_DOMAIN',
      `async-hook-domain cannot be loaded, so errors are traced by their context alone: ${(error as Error).message}`,
    )
    return undefined
  }

  class FollowingDomain extends Base implements SpanDomain {
    readonly span: Span

    constructor(span: Span) {
      const restore = keepProcess()
      super(() => {})
      restore()
      // The package leaves it with the outer domain as well, and takes it away from one of the two: the other would never end.
      this.parent?.ids.delete(this.eid)
      this.span = span
      state.live.add(this)
    }

    override destroy(): void {
      state.live.delete(this)
      const restore = keepProcess()
      super.destroy()
      restore()
    }
  }
  return (span) => new FollowingDomain(span)
}

const MONITOR = 'uncaughtExceptionMonitor'

/**
 * The package takes errors for itself: the first domain adds a listener and replaces `process.emit`, the last one's end puts an old one
 * back. Ours shall see nothing of errors but whose they are, so that `process` stays as the program has it.
 *
 * @returns puts back what was there.
 */
function keepProcess(): () => void {
  const before = Object.getOwnPropertyDescriptor(process, 'emit')
  const listeners = process.listeners(MONITOR)
  return () => {
    if (before === undefined) Reflect.deleteProperty(process, 'emit')
    else Object.defineProperty(process, 'emit', before)
    for (const listener of process.listeners(MONITOR)) {
      if (!listeners.includes(listener)) process.removeListener(MONITOR, listener)
    }
  }
}
