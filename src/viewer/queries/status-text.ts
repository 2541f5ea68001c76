import { Mark } from '../store/columns.js'
import type { Store } from '../store/store.js'

/** Whether a span failed: by its status, by a death, or as the answer 5xx of a server. */
export function isError(store: Store, row: number): boolean {
  const { marks, http, kind } = store.columns
  return (marks[row]! & (Mark.error | Mark.closed)) !== 0 || (kind[row] === 2 && http[row]! >= 500)
}

/** The HTTP status as text, else `ok` or `error`. */
export function statusText(store: Store, row: number): string {
  const http = store.columns.http[row]!
  return http > 0 ? String(http) : isError(store, row) ? 'error' : 'ok'
}

/** The class of the HTTP status, `2xx`; without one `ok` or `error`. */
export function statusClass(store: Store, row: number): string {
  const http = store.columns.http[row]!
  return http > 0 ? `${Math.floor(http / 100)}xx` : isError(store, row) ? 'error' : 'ok'
}

/** Whether a span has a status: `ok`, `error`, a class as `5xx`, or a code as `404`. */
export function hasStatus(store: Store, row: number, status: string): boolean {
  if (status === 'ok') return !isError(store, row)
  if (status === 'error') return isError(store, row)
  const http = store.columns.http[row]!
  if (status.endsWith('xx')) return http > 0 && Math.floor(http / 100) === Number(status[0])
  return http === Number(status)
}
