import { useState } from 'preact/hooks'
import { type Answer, api, sortOf, totalOf, useData } from '../client.js'
import { route } from '../route.js'

/** A page of a list, sorted by the server, and what makes it longer. */
export interface List<T> extends Answer<T[]> {
  readonly total: number
  readonly more: () => void
}

interface Options {
  /** The parameter of the address by which it is sorted. */
  readonly server?: string
  readonly first: number
  readonly params?: Readonly<Record<string, string>>
  readonly live?: boolean
}

/** Rows of a list of the server, with the filters of the address. */
export function useList<T>(
  path: string | null,
  { server = 'sort', first, params, live = true }: Options,
): List<T> {
  const [limit, setLimit] = useState(first)
  const wanted = params ?? route.value.params
  const url = path === null ? null : api(path, wanted, { ...sortOf(wanted[server]), limit })
  const answer = useData<T[]>(url, live)
  return {
    ...answer,
    total: answer.data === null ? 0 : totalOf(answer.data),
    more: () => setLimit(Math.min(1000, limit === first ? Math.max(50, first) : limit * 2)),
  }
}
