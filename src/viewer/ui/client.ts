import { useEffect, useState } from 'preact/hooks'
import type { ApiError, Filter } from '../api.js'
import { revision } from './live.js'

/** A failed request: the server's own code and message, or `NETWORK` when there was no answer. */
export class RequestError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** The names of `Filter`, which the lists share and keep in the address. */
export const FILTERS = [
  'service',
  'environment',
  'transaction',
  'type',
  'host',
  'process',
  'status',
  'from',
  'to',
  'last',
  'search',
  'min',
  'max',
] as const satisfies readonly (keyof Filter)[]

/** An address under `/api` with the filters that are set among the parameters, and more. */
export function api(
  path: string,
  params: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const query = new URLSearchParams()
  for (const name of FILTERS) {
    const value = params[name]
    if (value !== undefined && value !== '') query.set(name, value)
  }
  for (const [name, value] of Object.entries(more)) if (value !== undefined) query.set(name, String(value))
  const tail = query.toString()
  return `/api/${path}${tail === '' ? '' : `?${tail}`}`
}

/** The filters among the parameters of a route: what goes along from screen to screen. */
export function filtersOf(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).filter(([name]) => (FILTERS as readonly string[]).includes(name)),
  )
}

/** Whether any filter is set. */
export function filtered(params: Readonly<Record<string, string>>): boolean {
  return FILTERS.some((name) => (params[name] ?? '') !== '')
}

/** What a parameter such as `duration.asc` asks a list to be sorted by. */
export function sortOf(value: string | undefined): { sort: string | undefined; order: string | undefined } {
  const [sort, order] = (value ?? '').split('.')
  return { sort: sort || undefined, order: order === 'asc' ? 'asc' : undefined }
}

const totals = new WeakMap<object, number>()

/** How many rows the list has that an answer is a page of. */
export function totalOf(rows: readonly unknown[]): number {
  return totals.get(rows) ?? rows.length
}

/** Fetches JSON. @throws {RequestError} when the server cannot be reached or answers with an error. */
export async function request<T>(url: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new RequestError('NETWORK', 'The viewer does not answer. Is it still running?')
  }
  const body: unknown = await response.json().catch(() => null)
  const total = response.headers.get('x-total-count')
  if (total !== null && typeof body === 'object' && body !== null) totals.set(body, Number(total))
  if (response.ok && body !== null) return body as T
  const { code = `HTTP_${response.status}`, message = response.statusText } = (body ??
    {}) as Partial<ApiError>
  throw new RequestError(code, message)
}

/** What a request has brought so far. `data` stays while a new answer is under way. */
export interface Answer<T> {
  readonly data: T | null
  readonly error: RequestError | null
}

/**
 * Data of an address, for a component; null asks for nothing.
 * @param live asks again as the viewer receives more
 */
export function useData<T>(url: string | null, live = false): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { url: string | null }>({
    url: null,
    data: null,
    error: null,
  })
  const turn = live ? revision.value : 0
  useEffect(() => {
    if (url === null) return
    const abort = new AbortController()
    request<T>(url, { signal: abort.signal }).then(
      (data) => setAnswer({ url, data, error: null }),
      (error) => {
        if (!abort.signal.aborted) setAnswer({ url, data: null, error: asRequestError(error) })
      },
    )
    return () => abort.abort()
  }, [url, turn])
  // An answer to another address would show one thing's data under the name of another.
  if (url === null) return { data: null, error: null }
  return answer.url === url || sameKind(answer.url, url) ? answer : { data: null, error: null }
}

function sameKind(a: string | null, b: string): boolean {
  return a !== null && a.split('?')[0] === b.split('?')[0]
}

function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error
  return new RequestError('PAGE', error instanceof Error ? error.message : String(error))
}
