/** Messages that the application asks for, one by one. */
import { type Context, context as contextApi } from '@opentelemetry/api'
import { now } from '../../core/clock.js'
import { guarded } from '../../hooks/guarded.js'
import type { Method } from '../../hooks/patch-method.js'
import { received } from '../messaging-span.js'
import type { Failure } from '../traced-channel.js'
import { arrivedWith, attributesOf, type Channel, current, destinationOf, type Message } from './channel.js'

interface Asked {
  readonly channel: Channel
  readonly queue: unknown
  readonly start: number
  readonly context: Context
}

function ask(channel: unknown, queue: unknown): Asked {
  return { channel: channel as Channel, queue, start: now(), context: contextApi.active() }
}

/** `Channel.prototype.get(queue, options)`, which gives a promise of a message, or of `false`. */
export function gettingByPromise(original: Method): Method {
  return function (...args) {
    const result = original.apply(this, args)
    if (current.tracer === undefined || !(result instanceof Promise)) return result
    const asked = ask(this, args[0])
    return result.then(
      (message: unknown) => {
        answered(asked, message)
        return message
      },
      (error: unknown) => {
        answered(asked, false, { error })
        throw error
      },
    )
  }
}

/** `Channel.prototype.get(queue, options, callback)`. */
export function gettingByCallback(original: Method): Method {
  return function (...args) {
    const [queue, , callback] = args
    if (current.tracer !== undefined && typeof callback === 'function') {
      const asked = ask(this, queue)
      args[2] = function (this: unknown, ...results: unknown[]): unknown {
        const [error, message] = results
        answered(asked, message, error ? { error } : undefined)
        return Reflect.apply(callback, this, results)
      }
    }
    return original.apply(this, args)
  }
}

function answered({ channel, queue, start, context }: Asked, answer: unknown, failure?: Failure): void {
  guarded('amqplib', () => {
    const tracer = current.tracer
    if (tracer === undefined) return
    const message = typeof answer === 'object' && answer !== null ? (answer as Message) : undefined
    const { exchange, routingKey, deliveryTag } = message?.fields ?? {}
    const { messageId, correlationId } = message?.properties ?? {}
    const work = {
      operation: 'get',
      destination: destinationOf(channel, exchange, routingKey, queue),
      attributes: attributesOf(routingKey, messageId, correlationId, deliveryTag),
    }
    const messages = message === undefined ? [] : [arrivedWith(message)]
    received(tracer, work, { start, context, messages, ...(failure !== undefined && { failure }) })
  })
}
