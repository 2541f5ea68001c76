import { ThreadspanError } from '../../core/errors.js'

/** A request that the demo sends, and what it must be answered with. */
interface Visit {
  readonly path: string
  /** As the service's route has it, which is what the transaction is named by. */
  readonly route: string
  readonly status: number
}

/** One of each, whatever there is; together they are a round. */
const ROUND: readonly Visit[] = [
  { path: '/', route: '/', status: 200 },
  { path: '/delay', route: '/delay', status: 200 },
  { path: '/upstream', route: '/upstream', status: 200 },
  { path: '/upstream?path=/missing', route: '/upstream', status: 404 },
  { path: '/upstream?path=/broken', route: '/upstream', status: 502 },
  { path: '/5xx', route: '/5xx', status: 500 },
]
/** What a round has beside that where there is SQLite. */
const SQL: readonly Visit[] = ['/sql-write', '/sql-read', '/sql-group'].map((path) => ({
  path,
  route: path,
  status: 200,
}))

/** Rounds whose `/fanout` is sent too. Each takes a process and eight tasks. */
const FANOUTS = 2

/** Requests that were sent, by route. */
export type Sent = ReadonlyMap<string, number>

/**
 * Sends real requests to every route of the demo's service: a warm-up, so that the pool is up, then rounds in which all
 * requests are sent side by side.
 *
 * @param hasSql whether the service has routes that ask SQLite.
 * @throws ThreadspanError `THREADSPAN_DEMO_ANSWER` for an answer that is not what the application gives without us.
 */
export async function sendRequests(base: string, rounds: number, hasSql: boolean): Promise<Sent> {
  const sent = new Map<string, number>()
  const visit = async ({ path, route, status }: Visit) => {
    sent.set(route, (sent.get(route) ?? 0) + 1)
    const response = await fetch(base + path)
    const body = await response.text()
    if (response.status === status) return
    throw new ThreadspanError(
      'THREADSPAN_DEMO_ANSWER',
      `The demo's service answered ${path} with ${response.status} rather than ${status}: ${body.slice(0, 200)}`,
    )
  }
  const visits = hasSql ? [...ROUND, ...SQL] : ROUND
  const fanout: Visit = { path: '/fanout', route: '/fanout', status: 200 }
  await visit(fanout)
  for (let round = 0; round < rounds; round++) {
    await Promise.all(visits.map(visit))
    if (round < FANOUTS) await visit(fanout)
  }
  return sent
}
