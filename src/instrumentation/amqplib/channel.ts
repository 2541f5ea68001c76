import type { Attributes, Tracer } from '@opentelemetry/api'
import { type Fields, VALUES_FIELD } from '../messaging-carrier.js'
import type { Arrived, Destination } from '../messaging-span.js'

/** What makes the spans; undefined while nobody wants any. */
export const current: { tracer: Tracer | undefined } = { tracer: undefined }

interface Socket {
  /** What was asked to be connected to. */
  readonly _host?: unknown
  readonly remoteAddress?: unknown
  readonly remotePort?: unknown
}

/** A channel. */
export interface Channel {
  readonly connection?: { readonly stream?: Socket }
}

/** A message as it arrives. */
export interface Message {
  readonly fields: {
    readonly exchange?: unknown
    readonly routingKey?: unknown
    readonly deliveryTag?: unknown
  }
  readonly properties?: {
    readonly headers?: Fields
    readonly messageId?: unknown
    readonly correlationId?: unknown
  }
}

/** Names that a server makes up: of queues, and of the one for answers. */
const GENERATED = /^amq\.(?:gen-|rabbitmq\.reply-to)/

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/**
 * Where a message goes, or comes from: by all that is known of it, as the semantic conventions for RabbitMQ have it. Spans are called by the exchange, or
 * by the queue, for there can be many routing keys.
 *
 * @param queue that it comes from.
 */
export function destinationOf(
  channel: Channel,
  exchange: unknown,
  key: unknown,
  queue?: unknown,
): Destination {
  const parts = [textOf(exchange), textOf(key), textOf(queue)].filter((part) => part !== '')
  const template = queue === undefined ? parts[0] : textOf(queue)
  const { _host: host, remoteAddress, remotePort } = channel.connection?.stream ?? {}
  return {
    system: 'rabbitmq',
    name: parts.length === 0 ? 'amq.default' : [...new Set(parts)].join(':'),
    template: template === undefined || GENERATED.test(template) ? '' : template,
    address: typeof host === 'string' ? host : remoteAddress,
    port: remotePort,
  }
}

/** What is told of a message, where there is a value for it. */
export function attributesOf(key: unknown, id: unknown, correlation: unknown, tag?: unknown): Attributes {
  const attributes: Attributes = {}
  const set = (name: string, value: unknown): void => {
    if ((typeof value === 'string' && value !== '') || typeof value === 'number') attributes[name] = value
  }
  set('messaging.rabbitmq.destination.routing_key', key)
  set('messaging.message.id', id)
  set('messaging.message.conversation_id', correlation)
  set('messaging.rabbitmq.message.delivery_tag', tag)
  return attributes
}

/** What a message brings along. */
export function arrivedWith({ properties }: Message): Arrived {
  const fields = properties?.headers ?? {}
  return { fields, values: fields[VALUES_FIELD] }
}
