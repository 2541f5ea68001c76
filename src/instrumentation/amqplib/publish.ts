/** Messages that are published. */
import { context as contextApi, type Span } from '@opentelemetry/api'
import { capture } from '../../context/snapshot.js'
import { guarded } from '../../hooks/guarded.js'
import type { Method } from '../../hooks/patch-method.js'
import { type Fields, fieldsOf, hasContext, VALUES_FIELD, valuesText } from '../messaging-carrier.js'
import { endCall, startSend } from '../messaging-span.js'
import { attributesOf, type Channel, current, destinationOf } from './channel.js'

interface Options {
  readonly headers?: Fields
  readonly messageId?: unknown
  readonly correlationId?: unknown
}

/** Whether a channel that waits for confirmations publishes by the method of those that do not. */
let isInner = false

/** `Channel.prototype.publish(exchange, key, content, options)`: the message is handed to the socket. */
export function publishing(original: Method): Method {
  return function (...args) {
    const begun = isInner ? undefined : guarded('amqplib', () => begin(this as Channel, args))
    if (begun === undefined) return original.apply(this, args)
    const { span, given } = begun
    try {
      const result = original.apply(this, given)
      endCall(span)
      return result
    } catch (error) {
      endCall(span, { error })
      throw error
    }
  }
}

/**
 * `ConfirmChannel.prototype.publish(exchange, key, content, options, confirmed)`: until the server has taken the message, or not. Where nobody is to be told
 * of that, nobody is: whether there is a callback makes a difference to `waitForConfirms`.
 */
export function confirming(original: Method): Method {
  return function (...args) {
    if (typeof args[4] !== 'function') return original.apply(this, args)
    const begun = guarded('amqplib', () => begin(this as Channel, args))
    if (begun === undefined) return original.apply(this, args)
    const { span, given } = begun
    const wasInner = isInner
    isInner = true
    try {
      return original.apply(this, withConfirmation(span, given))
    } catch (error) {
      endCall(span, { error })
      throw error
    } finally {
      isInner = wasInner
    }
  }
}

function withConfirmation(span: Span, args: readonly unknown[]): unknown[] {
  const [exchange, key, content, options, confirmed, ...rest] = args
  const snapshot = capture()
  const ended = (...results: unknown[]): unknown => {
    const [error] = results
    endCall(span, error ? { error } : undefined)
    return snapshot.run(confirmed as (...results: unknown[]) => unknown, ...results)
  }
  return [exchange, key, content, options, ended, ...rest]
}

interface Begun {
  readonly span: Span
  /** The arguments, with what goes along in the headers. Those that were given stay as they are. */
  readonly given: unknown[]
}

function begin(channel: Channel, args: readonly unknown[]): Begun | undefined {
  const tracer = current.tracer
  if (tracer === undefined) return undefined
  const [exchange, key, content, options, ...rest] = args
  const { headers, messageId, correlationId } = (options ?? {}) as Options
  const isOwn = !hasContext(headers ?? {})
  const work = {
    operation: 'publish',
    destination: destinationOf(channel, exchange, key),
    attributes: attributesOf(key, messageId, correlationId),
  }
  const span = startSend(tracer, work, isOwn)
  if (span === undefined) return undefined
  const values = valuesText()
  const added = {
    ...(isOwn && fieldsOf(contextApi.active(), span)),
    ...(values !== undefined && { [VALUES_FIELD]: values }),
  }
  const given = { ...(options as Options | undefined), headers: { ...headers, ...added } }
  return { span, given: [exchange, key, content, given, ...rest] }
}
