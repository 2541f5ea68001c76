import { computed, signal } from '@preact/signals'
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

const parts = new WeakMap<object, number>()
/** By address: the share of the traces that answers are of which are still on their way, 0 to 1. */
const searching = signal<ReadonlyMap<string, number>>(new Map())

/** What share of the traces has been searched for all that is shown, 0 to 1. */
export const searched = computed(() => Math.min(1, ...searching.value.values()))

function noteSearched(url: string, share: number): void {
  const before = searching.peek()
  if (share === 1 && !before.has(url)) return
  const next = new Map(before)
  if (share === 1) next.delete(url)
  else next.set(url, share)
  searching.value = next
}

/** Asks until the answer is whole, and hands on what there is each time. */
async function askOn<T>(url: string, signal: AbortSignal, take: (data: T) => void): Promise<void> {
  try {
    for (;;) {
      const data = await request<T>(url, { signal })
      take(data)
      const share = parts.get(data as object) ?? 1
      noteSearched(url, share)
      if (share === 1) return
    }
  } finally {
    noteSearched(url, 1)
  }
}

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
  const part = response.headers.get('x-searched')
  if (typeof body === 'object' && body !== null) {
    if (total !== null) totals.set(body, Number(total))
    if (part !== null) parts.set(body, Number(part))
  }
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
    askOn<T>(url, abort.signal, (data) => setAnswer({ url, data, error: null })).catch((error) => {
      if (!abort.signal.aborted) setAnswer({ url, data: null, error: asRequestError(error) })
    })
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
