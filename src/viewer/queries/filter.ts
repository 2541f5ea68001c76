import type { Filter } from '../api.js'
import { parseQuery } from '../query.js'
import { HttpError } from '../receiver/http-error.js'

const TEXTS = ['service', 'transaction', 'host', 'status', 'search'] as const
const NUMBERS = ['from', 'to', 'min', 'max', 'limit'] as const

/**
 * The filter in a query string. Empty parameters count as absent, unknown ones are passed over.
 * @throws HttpError 400 `THREADSPAN_FILTER` for what must be a number and is none, and for a search that is not understood.
 */
export function parseFilter(query: URLSearchParams): Filter {
  const filter: Filter = {}
  for (const key of TEXTS) {
    const value = query.get(key)
    if (value !== null && value !== '') filter[key] = key === 'search' ? value : value.slice(0, 1000)
  }
  const problem = parseQuery(filter.search ?? '').problems[0]
  if (problem !== undefined) throw new HttpError(400, 'THREADSPAN_FILTER', problem)
  for (const key of NUMBERS) {
    const value = query.get(key)
    if (value === null || value === '') continue
    const number = Number(value)
    if (!Number.isFinite(number)) {
      throw new HttpError(400, 'THREADSPAN_FILTER', `The parameter "${key}" must be a number`)
    }
    filter[key] = number
  }
  return filter
}

/** `filter.limit` as a whole number between 1 and `most`. */
export function limitOf(filter: Filter, otherwise: number, most: number): number {
  return Math.min(most, Math.max(1, Math.floor(filter.limit ?? otherwise)))
}
