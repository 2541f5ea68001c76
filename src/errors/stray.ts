import type { EventEmitter } from 'node:events'
import { type Context, context as contextApi, type Span } from '@opentelemetry/api'
import { contextWithSpan, spanOf } from '../context/context.js'
import { forgetRecorded, recordError, takeRecorded } from '../context/exception.js'
import { count } from '../core/counters.js'
import { shared } from '../core/shared.js'
import { guarded } from '../hooks/guarded.js'
import { ownEmit } from '../hooks/observe-emit.js'
import { recordBeside } from './capture.js'

/** A rejection that Node has told of, and what was current then. */
interface Rejection {
  readonly reason: unknown
  readonly context: Context
}

const state = shared('errors.stray', () => ({
  isFollowing: false,
  /** The span that the current execution belongs to where no context tells: found by domains, where they are on. */
  domainSpan: undefined as (() => Span | undefined) | undefined,
  /** In a Worker: leaves word of an error for the thread that made it. */
  lastWords: undefined as ((error: unknown) => void) | undefined,
  /** A rejection that no listener has taken, until it has become an exception. */
  pending: undefined as Rejection | undefined,
  /** A rejection that was an exception first. */
  strict: undefined as { readonly error: unknown } | undefined,
}))

/** Lets `find` say to which span an error belongs that comes up outside of any context. */
export function provideDomainSpan(find: () => Span | undefined): void {
  state.domainSpan = find
}

/** Lets `tell` see each exception that nobody catches, as it ends the thread. */
export function provideLastWords(tell: (error: unknown) => void): void {
  state.lastWords = tell
}

/**
 * Records the errors that nobody caught (thrown from a timer, an unhandled rejection, an `error` event without a listener), each once, on the
 * span that was active where it came up; or, if that has ended, on a span of its own beside it. Then they take their course.
 *
 * Sees them as `process` tells of them, without a listener: what the program has in the way of listeners, and what Node does where
 * it has none, stays as it is. Once per thread.
 */
export function followStrayErrors(): void {
  if (state.isFollowing) return
  state.isFollowing = true
  ownEmit(process, (original) => {
    return function emit(this: EventEmitter, ...args: [event: string | symbol, ...rest: unknown[]]) {
      if (args[0] === 'uncaughtExceptionMonitor') {
        guarded('stray', () => sawException(args[1], args[2]))
        guarded('stray', () => state.lastWords?.(args[1]))
      }
      if (args[0] !== 'unhandledRejection') return original().apply(this, args)
      const rejection: Rejection = { reason: args[1], context: contextApi.active() }
      let isTaken = true
      try {
        isTaken = original().apply(this, args)
        return isTaken
      } finally {
        guarded('stray', () => sawRejection(rejection, isTaken))
      }
    }
  })
}

function sawException(error: unknown, origin: unknown): void {
  const { pending } = state
  state.pending = undefined
  if (origin !== 'unhandledRejection') {
    record(error, contextApi.active(), 'uncaughtException')
  } else if (pending !== undefined && isSame(error, pending.reason)) {
    record(pending.reason, pending.context, origin)
  } else {
    // `--unhandled-rejections=strict`: the exception comes first.
    state.strict = { error }
    record(error, contextApi.active(), origin)
  }
}

/**
 * By default a rejection that no listener takes becomes an exception right away. It is recorded then: a stack that was read before
 * changes what Node prints of it.
 */
function sawRejection(rejection: Rejection, isTaken: boolean): void {
  const { strict } = state
  state.strict = undefined
  if (strict !== undefined && isSame(strict.error, rejection.reason)) return
  if (isTaken) {
    record(rejection.reason, rejection.context, 'unhandledRejection')
    return
  }
  state.pending = rejection
  // With `--unhandled-rejections=warn` and `none` it becomes nothing.
  process.nextTick(() => {
    if (state.pending !== rejection) return
    state.pending = undefined
    guarded('stray', () => record(rejection.reason, rejection.context, 'unhandledRejection'))
  })
}

/** What is no error becomes one on the way. */
function isSame(one: unknown, two: unknown): boolean {
  const isWrapped = (error: unknown) =>
    error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_UNHANDLED_REJECTION'
  return Object.is(one, two) || isWrapped(one) || isWrapped(two)
}

function record(error: unknown, context: Context, origin: string): void {
  if (takeRecorded(error, spanOf(context))) return
  const span = spanOf(context) ?? state.domainSpan?.()
  if (span === undefined) {
    // Of no span: a program that makes none shall not start to export because it fails.
    count('error.outside')
    return
  }
  const attributes = { 'threadspan.error.origin': origin }
  if (span.isRecording()) recordError(span, error, attributes)
  else recordBeside(contextWithSpan(context, span), error, attributes)
  // Its way ends here. Should it come up again, that is another time.
  forgetRecorded(error)
}
