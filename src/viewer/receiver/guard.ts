import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { HttpError } from './http-error.js'

/**
 * Keeps web pages of other origins out. A page that the user happens to visit can send requests to loopback, and by DNS
 * rebinding even read the answers under a name of its own; so the name in `Host` must be one that cannot be rebound, an
 * `Origin` must be the viewer's own, and what a browser marks as cross-site is refused.
 *
 * @param hosts further names under which the viewer is reached, lower case, without port
 * @param isOpen the request only sends, and other machines are meant to: programs may know this one by any name, browsers may not
 * @throws HttpError 403 `THREADSPAN_FOREIGN_HOST` or `THREADSPAN_FOREIGN_ORIGIN`
 */
export function guard(request: IncomingMessage, hosts: ReadonlySet<string>, isOpen: boolean): void {
  const { host, origin } = request.headers
  const name = hostName(host)
  if (
    name === undefined ||
    !(
      isIP(name) !== 0 ||
      name === 'localhost' ||
      name.endsWith('.localhost') ||
      hosts.has(name) ||
      (isOpen && !isBrowser(request))
    )
  ) {
    throw new HttpError(
      403,
      'THREADSPAN_FOREIGN_HOST',
      'The Host header names another host than this one: use localhost, an IP address, or a name given as --host or --allow-host',
      'foreign',
    )
  }
  const site = request.headers['sec-fetch-site']
  const navigation = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET'
  const foreign = origin !== undefined && origin.toLowerCase() !== `http://${host?.toLowerCase()}`
  if (foreign || ((site === 'cross-site' || site === 'same-site') && !navigation)) {
    throw new HttpError(
      403,
      'THREADSPAN_FOREIGN_ORIGIN',
      'Requests by pages of another origin are not allowed',
      'foreign',
    )
  }
}

/** Whether a page may have sent it: browsers add one of these to every request by POST, and pages cannot take them away. */
function isBrowser({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers.referer !== undefined || 'sec-fetch-site' in headers
}

/** The name of a `Host` header without its port, lower case and without brackets; undefined where it is not one. */
function hostName(host: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/?#@[\]\s]+))(?::\d{1,5})?$/i.exec(host ?? '')
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}
