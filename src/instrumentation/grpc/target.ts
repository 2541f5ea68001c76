/** A host with a port, or without one; IPv6 addresses stand in brackets. */
const HOST = /^(\[[^\]]+\]|[^:/,]+)(?::(\d+))?$/

/** What a channel connects to: `server.address` and `server.port`. */
export interface Target {
  readonly address: string
  readonly port?: number
}

/**
 * Reads a target as gRPC names it (https://grpc.github.io/grpc/core/md_doc_naming.html). One that names no single host is the address as it is.
 */
export function readTarget(target: string): Target {
  const socket = /^unix(?:-abstract)?:(?:\/\/)?(.+)$/.exec(target)
  if (socket !== null) return { address: socket[1]! }
  const name = target.replace(/^(?:dns:(?:\/\/[^/]*\/|\/{0,3})|ipv[46]:)/, '')
  const [, host, port] = HOST.exec(name) ?? []
  if (host === undefined) return { address: target }
  const address = host.replace(/^\[|\]$/g, '')
  return port === undefined ? { address } : { address, port: Number(port) }
}
