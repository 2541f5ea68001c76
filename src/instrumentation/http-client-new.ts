import type { Agent, ClientRequest } from 'node:http'
import { isBuiltinLoaded } from '../hooks/builtin-loads.js'
import { onChannelAsked } from '../hooks/channel-asks.js'
import type { Disable } from '../hooks/channels.js'

/** What Node's HTTP client asks for as it is loaded, in this order; the first one where it has it. */
const CREATED = 'http.client.request.created'
const START = 'http.client.request.start'

const isSign = (name: string): boolean => name === CREATED || name === START

type Seen = (request: ClientRequest) => void
type Threw = (request: ClientRequest, error: unknown) => void

/** Watches new requests until it is known that there is no need to. */
export interface RequestWatch {
  /** Node tells of requests itself: nothing more is watched, and what was patched is as it was. */
  readonly notNeeded: Disable
  readonly disable: Disable
}

/**
 * Calls `seen` with each client request when it is made and before its headers are sent: for Node 20, which publishes a
 * request only once it was sent with all its body.
 *
 * `http.Agent.prototype.addRequest` is what gets every request that has an agent, as nearly all have. It can be patched only
 * once the class is there, and to load `node:http` for it would cost each thread 4 ms. So we wait until Node loads it: its client
 * calls `diagnostics_channel.channel()` for its channels while it is loaded, whether by `require` or by `import`, for `http` or for
 * `https`; the agent's class exists by then, and nobody could have made a request. If it asks for
 * `http.client.request.created` first, Node is new enough to need none of this. Either way nobody waits for it then.
 *
 * @param seen must not throw. May be called for a request more than once.
 * @param threw is told why a request could not be made after it was seen: a port out of range, an agent that throws. Must not throw.
 */
export function onNewRequest(seen: Seen, threw: Threw): RequestWatch {
  const undo: Disable[] = []
  const done = () => {
    for (const fn of undo.splice(0)) fn()
  }
  if (isBuiltinLoaded('_http_client')) {
    // Which Node it is shows with the first request: `created` then says that the patches are not needed.
    const { Agent: agent, ClientRequest: request } = process.getBuiltinModule('node:http')
    undo.push(patchAgent(agent, seen, threw), patchRequest(request, seen))
  } else {
    undo.push(
      onChannelAsked(isSign, (name) => {
        done()
        // The first of the two says whether Node's HTTP client publishes the other.
        if (name === START) patchWhileLoading(undo, seen, threw)
      }),
    )
  }
  return { notNeeded: done, disable: done }
}

function patchWhileLoading(undo: Disable[], seen: Seen, threw: Threw): void {
  // `node:http` itself is being loaded and cannot be asked for; its parts have names of their own on these versions.
  const parts = (process.getBuiltinModule as (id: string) => unknown)('_http_agent')
  undo.push(patchAgent((parts as { Agent: typeof Agent }).Agent, seen, threw))
  process.nextTick(() => {
    if (undo.length === 0) return
    undo.push(patchRequest(process.getBuiltinModule('node:http').ClientRequest, seen))
  })
}

/** `Agent.prototype.addRequest(request, options)`: called for each request, at the end of its constructor. */
function patchAgent({ prototype }: typeof Agent, seen: Seen, threw: Threw): Disable {
  return patch(prototype, 'addRequest', (original) => {
    return function addRequest(this: unknown, ...args: unknown[]) {
      const request = args[0] as ClientRequest
      seen(request)
      try {
        return original.apply(this, args)
      } catch (error) {
        threw(request, error)
        throw error
      }
    }
  })
}

/** `ClientRequest.prototype.onSocket(socket)`: for requests that have no agent but a connection of the caller's own. */
function patchRequest({ prototype }: typeof ClientRequest, seen: Seen): Disable {
  return patch(prototype, 'onSocket', (original) => {
    return function onSocket(this: unknown, ...args: unknown[]) {
      seen(this as ClientRequest)
      return original.apply(this, args)
    }
  })
}

type Method = (this: unknown, ...args: unknown[]) => unknown

function patch(prototype: object, name: string, make: (original: Method) => Method): Disable {
  const methods = prototype as Record<string, Method>
  const original = methods[name]!
  const patched = make(original)
  Object.defineProperty(patched, 'length', { value: original.length, configurable: true })
  methods[name] = patched
  return () => {
    if (methods[name] === patched) methods[name] = original
  }
}
