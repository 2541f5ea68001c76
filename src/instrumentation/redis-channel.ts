import type { Span, Tracer } from '@opentelemetry/api'
import { databaseOf, startOperation } from './database-span.js'
import { redisOperation } from './redis-command.js'

/** What the clients of Redis publish of a command, and of commands that go together. */
export interface RedisTold {
  readonly command?: unknown
  readonly args?: unknown
  readonly batchMode?: unknown
  readonly batchSize?: unknown
  readonly database?: unknown
  readonly serverAddress?: unknown
  readonly serverPort?: unknown
}

/**
 * Starts the span of what a client has told.
 *
 * @param skipped how many of the arguments are the command's name.
 */
export function startRedis(by: Tracer, told: RedisTold, skipped: 0 | 1): Span | undefined {
  const { command, args, batchMode, batchSize, database, serverAddress, serverPort } = told
  const to = databaseOf('redis', database, serverAddress, serverPort)
  if (typeof command === 'string')
    return startOperation(by, to, redisOperation(command, Array.isArray(args) ? args.slice(skipped) : []))
  return startOperation(by, to, {
    name: typeof batchMode === 'string' ? batchMode : 'PIPELINE',
    size: typeof batchSize === 'number' ? batchSize : undefined,
  })
}
