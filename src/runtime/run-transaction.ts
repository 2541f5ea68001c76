/** The one transaction of a program that has none of its own: a script, a job, a command. */
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { contextWithSpan } from '../context/context.js'
import { ownDeath } from '../core/death.js'
import { TRANSACTION } from '../core/variables.js'
import { VERSION } from '../core/version.js'
import type { Recorder } from '../recorder/recorder.js'

/** Characters of the name. */
const MOST = 256

/** A program's own transaction. */
export interface RunTransaction {
  /** What the main thread runs in where nothing else is current. */
  readonly context: Context
  /** Ends it with the program. */
  end(exitCode: unknown, uncaught: unknown): void
}

/** The name that the environment gives to the whole run; undefined where it gives none. */
export function runName(env: NodeJS.ProcessEnv): string | undefined {
  const name = env[TRANSACTION]?.trim()
  return name === undefined || name === '' || name.startsWith('{') ? undefined : name.slice(0, MOST)
}

/** Starts the transaction of the run. @param scope of our own spans. */
export function startRun(recorder: Recorder, scope: string, name: string, parent?: Context): RunTransaction {
  const context = parent ?? ROOT_CONTEXT
  const span = recorder.getTracer(scope, VERSION).startSpan(name, { kind: SpanKind.INTERNAL }, context)
  return {
    context: contextWithSpan(context, span),
    end(exitCode, uncaught) {
      const code = Number(exitCode ?? 0) || 0
      span.setAttribute('process.exit.code', code)
      // An error that nobody caught is on the span already, or on one of those below it.
      if (code !== 0 && uncaught === undefined)
        span.setStatus({ code: SpanStatusCode.ERROR, message: ownDeath(exitCode, uncaught) })
      span.end()
    },
  }
}
