import type { Tracer } from '@opentelemetry/api'
import type { Disable } from '../../hooks/channels.js'
import { type Loaded, type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { holderOf, type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { withBoundCallbacks } from '../bind-callbacks.js'
import type { Instrumentation } from '../contract.js'
import { filesOf, inFolder } from '../libraries.js'
import { current } from './channel.js'
import { consuming, settling, settlingAll } from './consume.js'
import { gettingByCallback, gettingByPromise } from './get.js'
import { confirming, publishing } from './publish.js'

/**
 * amqplib (RabbitMQ): a PRODUCER span of each message that is published, until the server has confirmed it where it does; a transaction of each
 * that a consumer is handed; a CLIENT span of each that is asked for by `get`.
 */
export const amqplib: Instrumentation = {
  name: 'amqplib',
  versions: '0.10 to 2',
  enable,
  follow: () => onFiles(bind),
}

const FILE = inFolder('amqplib')

function enable(by: Tracer): Disable {
  current.tracer = by
  const forget = onFiles(patch)
  return () => {
    current.tracer = undefined
    forget()
  }
}

interface Classes {
  readonly Channel?: unknown
  readonly ConfirmChannel?: unknown
}

function onFiles(found: (classes: Classes, isByCallback: boolean) => void): Disable {
  const onLoad = ({ request, exports, parent }: Loaded): undefined => {
    if (FILE.test(parent) && typeof exports === 'object' && exports !== null)
      found(exports, request === './lib/callback_model')
  }
  return onLoads(new Map<string, OnLoad>(filesOf('amqplib').map((request) => [request, onLoad])))
}

/** A class's method, or one that it inherits. */
function around(owner: unknown, name: string, make: (original: Method) => Method, purpose?: string): void {
  const prototype = prototypeOf(owner)
  const holder = prototype === undefined ? undefined : holderOf(prototype, name)
  if (holder !== undefined) patchMethod(holder, name, make, purpose)
}

function patch({ Channel, ConfirmChannel }: Classes, isByCallback: boolean): void {
  around(Channel, 'publish', publishing, 'spans')
  around(ConfirmChannel, 'publish', confirming, 'spans')
  around(Channel, 'consume', consuming, 'spans')
  around(Channel, 'get', isByCallback ? gettingByCallback : gettingByPromise, 'spans')
  for (const name of ['ack', 'nack', 'reject']) around(Channel, name, settling, 'spans')
  for (const name of ['ackAll', 'nackAll', 'toClosed']) around(Channel, name, settlingAll, 'spans')
}

/** What a server answers is heard by whoever opened the connection. */
function bind({ Channel }: Classes, isByCallback: boolean): void {
  around(Channel, 'sendOrEnqueue', withBoundCallbacks)
  if (isByCallback) around(Channel, 'get', withBoundCallbacks)
}
