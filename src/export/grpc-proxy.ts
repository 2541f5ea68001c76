/** The proxy of the environment, as clients of gRPC go through it: by CONNECT, whatever Node's own requests do. */
import type { Socket } from 'node:net'
import type { Environment } from '../config/variables.js'
import type { SendOptions } from './client.js'

/** The host of a URL: an IPv6 address is in brackets there alone. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

/**
 * The proxy for a URL: `grpc_proxy`, `https_proxy` or `http_proxy`, but for the hosts that `no_grpc_proxy` or `no_proxy` name. A proxy that
 * is spoken to by TLS is none to gRPC.
 */
export function grpcProxy(target: URL, env: Environment): URL | undefined {
  const value = env['grpc_proxy'] || env['https_proxy'] || env['http_proxy'] || ''
  if (!URL.canParse(value)) return undefined
  const proxy = new URL(value)
  const exceptions = (env['no_grpc_proxy'] || env['no_proxy'] || '').split(',')
  const isExcepted = exceptions.some((exception) => matches(hostOf(target), exception.trim().toLowerCase()))
  return proxy.protocol === 'http:' && !isExcepted ? proxy : undefined
}

/** A host by its name, or a domain with all that is below it. */
function matches(hostname: string, exception: string): boolean {
  if (exception === '*') return true
  const name = exception.replace(/^\*?\./, '')
  return name !== '' && (hostname === name || hostname.endsWith(`.${name}`))
}

/** A connection to the host of `target` through a proxy. Rejects where the proxy cannot be reached, refuses, or takes too long. */
export function tunnel(proxy: URL, target: URL, { timeout, signal }: SendOptions): Promise<Socket> {
  const http = process.getBuiltinModule('node:http')
  const { username, password, port } = proxy
  const path = `${target.hostname}:${target.port || (target.protocol === 'https:' ? 443 : 80)}`
  const headers: Record<string, string> = { host: path }
  if (username !== '') {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    headers['proxy-authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
  }
  return new Promise((resolve, reject) => {
    const request = http.request({
      method: 'CONNECT',
      host: hostOf(proxy),
      port: port || 80,
      path,
      headers,
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(timeout))]),
    })
    request.on('connect', ({ statusCode }, socket, head) => {
      if (statusCode === 200) {
        // A server of HTTP/2 need not wait for its client.
        if (head.length > 0) socket.unshift(head)
        return resolve(socket)
      }
      socket.destroy()
      reject(new Error(`the proxy answers with status ${statusCode}`))
    })
    request.on('response', ({ statusCode }) => {
      request.destroy()
      reject(new Error(`the proxy answers with status ${statusCode}`))
    })
    request.on('error', (error) => reject((error.cause as Error | undefined) ?? error))
    request.end()
  })
}
