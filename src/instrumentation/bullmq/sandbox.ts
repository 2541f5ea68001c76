/** Jobs whose processor is a file: it runs in a child process or a Worker, below the transaction that the worker's thread has begun. */
import { parse } from 'node:path'
import { context as contextApi, type Span } from '@opentelemetry/api'
import { contextWithSpan, spanOf } from '../../context/context.js'
import { followResult } from '../../context/settled.js'
import type { Snapshot } from '../../context/snapshot.js'
import { guarded } from '../../hooks/guarded.js'
import type { Method } from '../../hooks/patch-method.js'
import { arrivedIn } from '../messaging-carrier.js'
import { endCall } from '../messaging-span.js'
import { arrivedWith, type JobOptions } from './carrier.js'
import { realFailure } from './failure.js'
import { current } from './tracer.js'

/** BullMQ's `ChildProcessor`. */
interface Processor {
  processor?: Method
}

const traced = new WeakSet<Method>()
/** What the spans are called, by the processor that was loaded. */
const names = new WeakMap<object, string>()

/** `ChildProcessor.prototype.init(file)`. */
export function loading(original: Method): Method {
  return function (...args) {
    guarded('bullmq', () => names.set(this as object, `run ${parse(String(args[0])).name}`))
    return original.apply(this, args)
  }
}

/** `ChildProcessor.prototype.start(job, token)`, which calls the processor that the file has given. */
export function starting(original: Method): Method {
  return function (...args) {
    const holder = this as Processor
    const { processor } = holder
    if (current.tracer !== undefined && typeof processor === 'function' && !traced.has(processor)) {
      holder.processor = tracing(processor, names.get(holder) ?? 'run')
      traced.add(holder.processor)
    }
    return original.apply(this, args)
  }
}

function tracing(processor: Method, name: string): Method {
  return function (...args) {
    const begun = guarded('bullmq', () => begin(name, (args[0] as { readonly opts?: JobOptions }).opts))
    if (begun === undefined) return processor.apply(this, args)
    const { span, snapshot } = begun
    const call = (): unknown => snapshot.run(() => processor.apply(this, args))
    // The error goes on to the worker's thread, whose transaction tells of it.
    return span === undefined
      ? call()
      : followResult(call(), (failure) => endCall(span, realFailure(failure)))
  }
}

interface Begun {
  readonly span: Span | undefined
  readonly snapshot: Snapshot
}

/** The message that began the job has brought the worker's span; the job has the rest. */
function begin(name: string, options: JobOptions | undefined): Begun {
  const { fields, values } = arrivedWith(options)
  const active = contextApi.active()
  const isBelow = spanOf(active) !== undefined
  const span = isBelow ? current.tracer?.startSpan(name, undefined, active) : undefined
  const inside = span === undefined ? active : contextWithSpan(active, span)
  return { span, snapshot: arrivedIn(inside, fields, values) }
}
