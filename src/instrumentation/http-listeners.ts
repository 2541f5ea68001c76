import type { EventEmitter } from 'node:events'
import { keepListeners } from '../context/emitter.js'
import { inCurrent } from '../context/in-current.js'
import type { Disable } from '../hooks/channels.js'

/**
 * Lets listeners on requests, responses and client requests of `node:http` run in the context of whoever added them. By themselves they run
 * in that of the connection, which is that of whoever called `listen`, or of the request that the connection was opened for.
 *
 * The classes' methods that add listeners are replaced, once; a request on which nobody in a context listens costs nothing.
 */
export function keepHttpListeners(): Disable {
  if (holders++ === 0) {
    const { IncomingMessage, ServerResponse, ClientRequest } = process.getBuiltinModule('node:http')
    undo = [IncomingMessage, ServerResponse, ClientRequest].map(({ prototype }) =>
      keepListeners(prototype, inCurrent),
    )
  }
  let isHeld = true
  return () => {
    if (isHeld && --holders === 0) for (const fn of undo.splice(0)) fn()
    isHeld = false
  }
}

/** Servers and clients, each of which can be turned off. */
let holders = 0
let undo: Disable[] = []

/** The same for the one connection that a request was upgraded to. */
export function keepSocketListeners(socket: unknown): void {
  if (typeof (socket as Partial<EventEmitter> | undefined)?.on !== 'function') return
  keepListeners(socket as EventEmitter, inCurrent)
}

/** Classes of streams whose listeners are kept. */
const streams = new WeakSet<object>()

/**
 * The same for HTTP/2: for the class of `stream`, and for the requests and responses that Node makes of streams.
 *
 * @param stream of a server or a client, of which the class is had by no other way.
 */
export function keepHttp2Listeners(stream: object): void {
  const prototype = Object.getPrototypeOf(stream) as EventEmitter
  if (streams.has(prototype)) return
  streams.add(prototype)
  keepListeners(prototype, inCurrent)
  const { Http2ServerRequest, Http2ServerResponse } = process.getBuiltinModule('node:http2')
  for (const { prototype } of [Http2ServerRequest, Http2ServerResponse]) {
    if (streams.has(prototype)) continue
    streams.add(prototype)
    keepListeners(prototype, inCurrent)
  }
}
