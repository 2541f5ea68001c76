/** The one transaction of a program that has none of its own: a script, a job, a command. */
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { contextWithSpan } from '../context/context.js'
import { VERSION } from '../core/version.js'
import type { Recorder } from '../recorder/recorder.js'

/** Characters of the name. */
const MOST = 256

/** A program's own transaction. */
export interface RunTransaction {
  /** What the main thread runs in where nothing else is current. */
  readonly context: Context
  /** Ends it with the program. @param death One line: how it ends. */
  end(exitCode: unknown, uncaught: unknown, death: string): void
}

/**
 * Starts the transaction of the run.
 * @param scope of our own spans.
 * @param given What the environment says: its name, or that of the transaction that this process is part of.
 */
export function startRun(
  recorder: Recorder,
  scope: string,
  given: string | undefined,
  parent?: Context,
): RunTransaction | undefined {
  const name = given?.trim().slice(0, MOST) ?? ''
  if (name === '' || name.startsWith('{')) return undefined
  const context = parent ?? ROOT_CONTEXT
  const span = recorder.getTracer(scope, VERSION).startSpan(name, { kind: SpanKind.INTERNAL }, context)
  return {
    context: contextWithSpan(context, span),
    end(exitCode, uncaught, death) {
      const code = Number(exitCode ?? 0) || 0
      span.setAttribute('process.exit.code', code)
      // An error that nobody caught is on the span already, or on one of those below it.
      if (code !== 0 && uncaught === undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: death })
      span.end()
    },
  }
}
