/** Messages that a consumer is handed. */
import { followResult, isThenable } from '../../context/settled.js'
import { capture } from '../../context/snapshot.js'
import { guarded } from '../../hooks/guarded.js'
import { resemble } from '../../hooks/imitate.js'
import type { Method } from '../../hooks/patch-method.js'
import { endProcess, type Processing, startProcess } from '../messaging-span.js'
import { arrivedWith, attributesOf, type Channel, current, destinationOf, type Message } from './channel.js'

/** The transactions of messages whose handler has returned, and that have not been settled, by their delivery tags, for each channel. */
const openOf = new WeakMap<object, Map<number, Processing>>()
/** Messages that were settled, and channels that were closed, before a handler returned. */
const settled = new WeakSet<object>()

/** `Channel.prototype.consume(queue, handler, options)`. */
export function consuming(original: Method): Method {
  return function (...args) {
    const [queue, handler, options] = args
    if (current.tracer !== undefined && typeof handler === 'function') {
      const isSettled = (options as { noAck?: unknown } | undefined)?.noAck === true
      args[1] = handling(this as Channel, queue, handler as Method, isSettled)
    }
    return original.apply(this, args)
  }
}

/**
 * The transaction lasts until what the handler returned has come to its end. A handler that returns nothing may go on by callbacks: there it lasts until the
 * message is settled, or the channel closed.
 *
 * @param isSettled whether messages are settled as they are delivered.
 */
function handling(channel: Channel, queue: unknown, handler: Method, isSettled: boolean): Method {
  const registered = capture()
  const traced: Method = function (...args) {
    const message = args[0] as Message | null
    // Without a message, the server has ended the consumer.
    const own = message === null ? undefined : guarded('amqplib', () => begin(channel, queue, message))
    if (own === undefined) return registered.run(() => handler.apply(this, args))
    try {
      const result = own.snapshot.run(() => handler.apply(this, args))
      if (isThenable(result)) return followResult(result, (failure) => endProcess(own, failure))
      if (isSettled || settled.has(message!) || settled.has(channel)) endProcess(own)
      else keep(channel, message!, own)
      return result
    } catch (error) {
      endProcess(own, { error })
      throw error
    }
  }
  resemble(traced, handler)
  return traced
}

function begin(channel: Channel, queue: unknown, message: Message): Processing | undefined {
  const tracer = current.tracer
  if (tracer === undefined) return undefined
  const { exchange, routingKey, deliveryTag } = message.fields
  const { messageId, correlationId } = message.properties ?? {}
  const work = {
    operation: 'consume',
    destination: destinationOf(channel, exchange, routingKey, queue),
    attributes: attributesOf(routingKey, messageId, correlationId, deliveryTag),
  }
  return startProcess(tracer, work, arrivedWith(message))
}

function keep(channel: object, { fields }: Message, own: Processing): void {
  const open = openOf.get(channel) ?? new Map<number, Processing>()
  openOf.set(channel, open)
  open.set(Number(fields.deliveryTag), own)
}

/** `ack(message, allUpTo)`, `nack(message, allUpTo, requeue)`, `reject(message, requeue)`. */
export function settling(original: Method): Method {
  return function (...args) {
    const result = original.apply(this, args)
    guarded('amqplib', () => {
      const [message, allUpTo] = args as [Message, unknown]
      settled.add(message)
      const tag = Number(message.fields.deliveryTag)
      if (original.name !== 'reject' && allUpTo === true) endUpTo(this as Channel, tag)
      else end(this as Channel, tag)
    })
    return result
  }
}

/** `ackAll()`, `nackAll(requeue)`; `toClosed()`, after which nothing can be settled. */
export function settlingAll(original: Method): Method {
  return function (...args) {
    const result = original.apply(this, args)
    if (original.name === 'toClosed') settled.add(this as Channel)
    endUpTo(this as Channel, Number.POSITIVE_INFINITY)
    return result
  }
}

function endUpTo(channel: Channel, last: number): void {
  for (const tag of openOf.get(channel)?.keys() ?? []) if (tag <= last) end(channel, tag)
}

function end(channel: Channel, tag: number): void {
  const open = openOf.get(channel)
  const own = open?.get(tag)
  open?.delete(tag)
  if (own !== undefined) endProcess(own)
}
