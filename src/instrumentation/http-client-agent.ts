import * as diagnosticsNamespace from 'node:diagnostics_channel'
import type { Agent, ClientRequest } from 'node:http'
import type { Disable } from './channels.js'

/** The exports that `require('node:diagnostics_channel')` gives to everybody, Node's own modules among them. */
const diagnostics =
  (diagnosticsNamespace as unknown as { default: typeof diagnosticsNamespace }).default ??
  diagnosticsNamespace

type AddRequest = (this: Agent, request: ClientRequest, ...rest: unknown[]) => void
type WithAddRequest = { addRequest: AddRequest }

/** Watches agents until it is known that there is no need to. */
export interface AgentWatch {
  /** Node tells of requests itself: nothing more is watched, and what was patched is as it was. */
  notNeeded: Disable
  disable: Disable
}

/**
 * Calls `seen` with each request that is given to an HTTP agent, when it is made and before its headers are sent: for Node
 * 20, which publishes a request only once its body has ended.
 *
 * `http.Agent.prototype.addRequest` is what gets every new request. It can be patched only once the class is there, and to load
 * `node:http` for it would cost each thread 4 ms. So we wait for Node to load it: its client asks `diagnostics_channel.channel()` for
 * its channels while it is loaded, whether by `require` or by `import`, as `http` or as `https`; the agent's class exists
 * by then, and nobody could have made a request. If it asks for `http.client.request.created` first, Node is new enough
 * to need none of this. Either way `channel` is then put back.
 *
 * @param seen must not throw. May be called for a request more than once.
 */
export function onAgentRequest(seen: (request: ClientRequest) => void): AgentWatch {
  let restore: Disable = () => {}
  const done = () => {
    restore()
    restore = () => {}
  }
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] }
  if (moduleLoadList?.includes('NativeModule _http_client') === true) {
    // Which Node it is shows with the first request: `created` then says that the patch is not needed.
    restore = patchAgent(process.getBuiltinModule('node:http').Agent, seen)
    return { notNeeded: done, disable: done }
  }
  const { channel } = diagnostics
  const exports = diagnostics as { channel: typeof channel }
  const watching = {
    channel(name: string | symbol) {
      if (name === 'http.client.request.created') {
        done()
      } else if (name === 'http.client.request.start') {
        done()
        // `node:http` itself is being loaded and cannot be asked for; its parts have names of their own on these versions.
        const parts = (process.getBuiltinModule as (id: string) => unknown)('_http_agent') as {
          Agent: typeof Agent
        }
        restore = patchAgent(parts.Agent, seen)
      }
      return channel(name)
    },
  }.channel
  exports.channel = watching
  restore = () => {
    if (exports.channel === watching) exports.channel = channel
  }
  return { notNeeded: done, disable: done }
}

function patchAgent(agent: typeof Agent, seen: (request: ClientRequest) => void): Disable {
  const prototype = agent.prototype as unknown as WithAddRequest
  const original = prototype.addRequest
  const patched: AddRequest = function addRequest(request, ...rest) {
    seen(request)
    return original.call(this, request, ...rest)
  }
  Object.defineProperty(patched, 'length', { value: original.length, configurable: true })
  prototype.addRequest = patched
  return () => {
    if (prototype.addRequest === patched) prototype.addRequest = original
  }
}
