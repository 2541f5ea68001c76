import type { Instrumentation } from './contract.js'
import { ioredis } from './ioredis.js'
import { mysql2 } from './mysql2/index.js'
import { pg } from './pg/index.js'
import { postgres } from './postgres.js'
import { redis } from './redis.js'

/** Clients of databases. */
export const DATABASES: readonly Instrumentation[] = [pg, postgres, mysql2, ioredis, redis]

/**
 * Lets what the clients of databases tell over a connection that many requests share run in the context of whoever asked. It makes no
 * spans, and is of use whoever makes them. Libraries that were loaded before are not seen.
 */
export function followSharedConnections(): void {
  for (const { follow } of DATABASES) follow?.()
}
