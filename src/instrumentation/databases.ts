import type { Instrumentation } from './contract.js'
import { ioredis } from './ioredis.js'
import { mariadb } from './mariadb/index.js'
import { mongodb } from './mongodb/index.js'
import { mysql2 } from './mysql2/index.js'
import { pg } from './pg/index.js'
import { postgres } from './postgres.js'
import { redis } from './redis.js'

/** Clients of databases. */
export const DATABASES: readonly Instrumentation[] = [pg, postgres, mysql2, ioredis, redis, mongodb, mariadb]
