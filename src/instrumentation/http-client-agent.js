import * as diagnosticsNamespace from 'node:diagnostics_channel'

/** The exports that `require('node:diagnostics_channel')` gives to everybody, Node's own modules among them. */
const diagnostics = diagnosticsNamespace.default ?? diagnosticsNamespace
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
export function onAgentRequest(seen) {
  let restore = () => {}
  const done = () => {
    restore()
    restore = () => {}
  }
  const { moduleLoadList } = process
  if (moduleLoadList?.includes('NativeModule _http_client') === true) {
    // Which Node it is shows with the first request: `created` then says that the patch is not needed.
    restore = patchAgent(process.getBuiltinModule('node:http').Agent, seen)
    return { notNeeded: done, disable: done }
  }
  const { channel } = diagnostics
  const exports = diagnostics
  const watching = {
    channel(name) {
      if (name === 'http.client.request.created') {
        done()
      } else if (name === 'http.client.request.start') {
        done()
        // `node:http` itself is being loaded and cannot be asked for; its parts have names of their own on these versions.
        const parts = process.getBuiltinModule('_http_agent')
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
function patchAgent(agent, seen) {
  const prototype = agent.prototype
  const original = prototype.addRequest
  const patched = function addRequest(request, ...rest) {
    seen(request)
    return original.call(this, request, ...rest)
  }
  Object.defineProperty(patched, 'length', { value: original.length, configurable: true })
  prototype.addRequest = patched
  return () => {
    if (prototype.addRequest === patched) prototype.addRequest = original
  }
}
