import type { Filter, TransactionType } from '../api.js'
import { parseQuery } from '../query.js'
import { HttpError } from '../receiver/http-error.js'

const TEXTS = [
  'service',
  'environment',
  'transaction',
  'host',
  'process',
  'thread',
  'status',
  'search',
  'sort',
] as const
const NUMBERS = ['from', 'to', 'last', 'min', 'max', 'limit', 'offset'] as const
const TYPES: readonly TransactionType[] = ['request', 'message', 'task', 'call']

/**
 * The filter in a query string. Empty parameters count as absent, unknown ones are passed over.
 * @throws HttpError 400 `THREADSPAN_FILTER` for a value that is not understood.
 */
export function parseFilter(query: URLSearchParams): Filter {
  const filter: Filter = {}
  for (const key of TEXTS) {
    const value = query.get(key)
    if (value !== null && value !== '') filter[key] = key === 'search' ? value : value.slice(0, 1000)
  }
  const problem = parseQuery(filter.search ?? '').problems[0]
  if (problem !== undefined) throw refused(problem)
  for (const key of NUMBERS) {
    const value = query.get(key)
    if (value === null || value === '') continue
    const number = Number(value)
    if (!Number.isFinite(number)) throw refused(`The parameter "${key}" must be a number`)
    filter[key] = number
  }
  const { status } = filter
  if (status !== undefined && !/^(?:ok|error|[1-5]xx|\d{1,3})$/.test(status))
    throw refused('The parameter "status" must be ok, error, a class as 5xx, or a code as 404')
  const type = oneOf(query, 'type', TYPES)
  if (type !== undefined) filter.type = type
  const order = oneOf(query, 'order', ['asc', 'desc'])
  if (order !== undefined) filter.order = order
  if (filter.last !== undefined) {
    filter.to = Date.now()
    filter.from = filter.to - Math.max(0, filter.last)
  }
  return filter
}

function oneOf<T extends string>(query: URLSearchParams, key: string, known: readonly T[]): T | undefined {
  const value = query.get(key)
  if (value === null || value === '') return undefined
  const found = known.find((each) => each === value)
  if (found === undefined) throw refused(`The parameter "${key}" must be one of ${known.join(', ')}`)
  return found
}

function refused(message: string): HttpError {
  return new HttpError(400, 'THREADSPAN_FILTER', message)
}

/** `filter.limit` as a whole number between 1 and `most`. */
export function limitOf(filter: Filter, otherwise: number, most: number): number {
  return Math.min(most, Math.max(1, Math.floor(filter.limit ?? otherwise)))
}
