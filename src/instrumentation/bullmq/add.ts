/** Jobs that are added. */
import { type Attributes, context as contextApi, type Span } from '@opentelemetry/api'
import { contextWithSpan } from '../../context/context.js'
import { guarded } from '../../hooks/guarded.js'
import type { Method } from '../../hooks/patch-method.js'
import { fieldsOf, valuesText } from '../messaging-carrier.js'
import { endCall, startSend } from '../messaging-span.js'
import { isSuppressed } from '../suppressed.js'
import { type JobOptions, takesContext, withContext } from './carrier.js'
import { current, destinationOf, type Holder, hasTelemetry } from './tracer.js'

/** What is known of an adding. */
interface Adding {
  readonly operation: string
  /** Name of the queue; undefined for several. */
  readonly queue: unknown
  readonly attributes?: Attributes
  /** Of the jobs. */
  readonly options: readonly (JobOptions | undefined)[]
  /** The arguments with `given` put into the options of each job. */
  replace(given: (options: JobOptions | undefined) => JobOptions | undefined): unknown[]
}

interface Job {
  readonly name?: unknown
  readonly opts?: JobOptions
}

interface Node extends Job {
  readonly queueName?: unknown
  readonly children?: readonly Node[]
}

/** A method that adds jobs. @param read what a call of it is; undefined for one that is left as it is. */
function adding(read: (holder: Holder, args: unknown[]) => Adding | undefined): (original: Method) => Method {
  return (original) =>
    function (...args) {
      const holder = this as Holder
      const call = guarded('bullmq', () => begin(holder, read(holder, args)))
      if (call === undefined) return original.apply(this, args)
      const { span, given, isBatch } = call
      if (span === undefined) return original.apply(this, given)
      const context = contextWithSpan(contextApi.active(), span)
      return end(span, isBatch, () => contextApi.with(context, () => original.apply(this, given)))
    }
}

interface Call {
  readonly span: Span | undefined
  readonly given: unknown[]
  readonly isBatch: boolean
}

function begin(holder: Holder, of: Adding | undefined): Call | undefined {
  const tracer = current.tracer
  if (tracer === undefined || of === undefined || isSuppressed(contextApi.active())) return undefined
  const values = valuesText()
  const isBatch = of.options.length > 1
  // BullMQ's own telemetry makes the span, and carries its context.
  if (hasTelemetry(holder))
    return {
      span: undefined,
      given: of.replace((options) => withContext(options, undefined, values)),
      isBatch,
    }
  const work = {
    operation: of.operation,
    destination: destinationOf(holder, of.queue),
    ...(of.attributes !== undefined && { attributes: of.attributes }),
  }
  const span = startSend(tracer, work, of.options.some(takesContext))
  if (span === undefined) return undefined
  const metadata = JSON.stringify(fieldsOf(contextApi.active(), span))
  return { span, given: of.replace((options) => withContext(options, metadata, values)), isBatch }
}

function end(span: Span, isBatch: boolean, call: () => unknown): unknown {
  const failed = (error: unknown): never => {
    endCall(span, { error })
    throw error
  }
  try {
    const result = call()
    if (!(result instanceof Promise)) return added(span, isBatch, result)
    return result.then((jobs: unknown) => added(span, isBatch, jobs), failed)
  } catch (error) {
    return failed(error)
  }
}

/** @param result a job, a flow's tree, or a list of them. */
function added<T>(span: Span, isBatch: boolean, result: T): T {
  const { id, job } = (result ?? {}) as { id?: unknown; job?: { id?: unknown } }
  const own = id ?? job?.id
  if (typeof own === 'string' && !isBatch) span.setAttribute('messaging.message.id', own)
  span.end()
  return result
}

function named(name: unknown): Attributes | undefined {
  return typeof name === 'string' ? { 'bullmq.job.name': name } : undefined
}

/** `Queue.prototype.add(name, data, opts)`. */
export const addingJob = adding((queue, args) => {
  const [name, , opts] = args
  return {
    operation: 'add',
    queue: queue.name,
    ...optional(named(name)),
    options: [opts as JobOptions | undefined],
    replace: (given) => third(args, given(opts as JobOptions | undefined)),
  }
})

/** `Queue.prototype.addBulk(jobs)`. */
export const addingBulk = adding((queue, args) => {
  const [jobs] = args
  if (!Array.isArray(jobs)) return undefined
  return {
    operation: 'addBulk',
    queue: queue.name,
    attributes: { 'messaging.batch.message_count': jobs.length },
    options: (jobs as Job[]).map(({ opts }) => opts),
    replace: (given) => [
      (jobs as Job[]).map((job) => replaced(job, { opts: given(job.opts) })),
      ...args.slice(1),
    ],
  }
})

/** `Queue.prototype.upsertJobScheduler(id, repeatOpts, template)`. */
export const addingScheduler = adding((queue, args) => {
  const template = args[2] as Job | undefined
  return {
    operation: 'upsertJobScheduler',
    queue: queue.name,
    ...optional(named(template?.name)),
    options: [template?.opts],
    replace: (given) => third(args, replaced(template ?? {}, { opts: given(template?.opts) })),
  }
})

/** `FlowProducer.prototype.add(flow, opts)`: the flow's job, and its children's. */
export const addingFlow = adding((_producer, args) => {
  const [flow] = args as [Node | undefined]
  if (typeof flow !== 'object' || flow === null) return undefined
  const nodes = nodesOf([flow])
  return {
    operation: 'add',
    queue: flow.queueName,
    attributes: { ...named(flow.name), ...batch(nodes) },
    options: nodes.map(({ opts }) => opts),
    replace: (given) => [replacedNode(flow, given), ...args.slice(1)],
  }
})

/** `FlowProducer.prototype.addBulk(flows)`. */
export const addingFlows = adding((_producer, args) => {
  const [flows] = args
  if (!Array.isArray(flows)) return undefined
  const nodes = nodesOf(flows as Node[])
  const queues = new Set((flows as Node[]).map(({ queueName }) => queueName))
  return {
    operation: 'addBulk',
    queue: queues.size === 1 ? [...queues][0] : undefined,
    attributes: { 'messaging.batch.message_count': nodes.length },
    options: nodes.map(({ opts }) => opts),
    replace: (given) => [(flows as Node[]).map((flow) => replacedNode(flow, given)), ...args.slice(1)],
  }
})

/** The arguments with another third one. */
function third(args: readonly unknown[], value: unknown): unknown[] {
  return [args[0], args[1], value, ...args.slice(3)]
}

function optional(attributes: Attributes | undefined): { attributes?: Attributes } {
  return attributes === undefined ? {} : { attributes }
}

function batch(nodes: readonly Node[]): Attributes {
  return nodes.length > 1 ? { 'messaging.batch.message_count': nodes.length } : {}
}

function nodesOf(flows: readonly Node[]): Node[] {
  return flows.flatMap((flow) => [flow, ...nodesOf(flow.children ?? [])])
}

function replacedNode(node: Node, given: Parameters<Adding['replace']>[0]): Node {
  const { children } = node
  return replaced(node, {
    opts: given(node.opts),
    ...(Array.isArray(children) && { children: children.map((child: Node) => replacedNode(child, given)) }),
  })
}

/** A copy with other properties: what the application has handed in stays as it is. */
function replaced<T extends object>(object: T, properties: object): T {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(object) as object) as T, object)
  for (const [name, value] of Object.entries(properties)) {
    // A property that was not there before is not there as undefined either.
    if (value !== undefined) (copy as Record<string, unknown>)[name] = value
  }
  return copy
}
