import {
  type Context,
  context as contextApi,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type Tracer,
} from '@opentelemetry/api'
import { contextWithSpan, spanOf } from '../context/context.js'
import { deadlines } from '../context/deadline.js'
import { recordError } from '../context/exception.js'
import { ensureContextManager } from '../context/manager.js'
import type { HeldTask } from './adapter.js'

/** Holds what is current at the submission of a task until the pool posts it; see `PoolTracing.hold`. */
export function holdTask(tracer: Tracer, pool: string, task: string): HeldTask {
  const context = contextApi.active()
  if (spanOf(context) === undefined) return new Held(context, undefined)
  const attributes = { 'threadspan.pool': pool, 'threadspan.task': task }
  try {
    const span = tracer.startSpan(`task ${task}`, { kind: SpanKind.INTERNAL, attributes }, context)
    return new Held(contextWithSpan(context, span), span)
  } catch {
    // An SDK of the application's: its fault is none of the task's.
    return new Held(context, undefined)
  }
}

class Held implements HeldTask {
  private readonly at = performance.now()
  private isPosted = false

  constructor(
    private readonly context: Context,
    private readonly span: Span | undefined,
  ) {}

  post<T>(fn: () => T): T {
    if (!this.isPosted) {
      this.isPosted = true
      this.span?.setAttribute('threadspan.queue.wait', performance.now() - this.at)
    }
    const { context } = this
    if (context === ROOT_CONTEXT && contextApi.active() === ROOT_CONTEXT) return fn()
    ensureContextManager()
    return contextApi.with(context, fn as () => ReturnType<typeof fn>) as T
  }

  settle(): void {
    const { span } = this
    if (span === undefined) return
    deadlines.part?.mark(span, this.context)
    span.end()
  }

  fail(error: unknown): void {
    const { span } = this
    if (span === undefined) return
    recordError(span, error)
    span.end()
  }
}
