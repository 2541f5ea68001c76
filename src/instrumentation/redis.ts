import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Span, Tracer } from '@opentelemetry/api'
import { followResult } from '../context/settled.js'
import type { Disable } from '../hooks/channels.js'
import { guarded } from '../hooks/guarded.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { type Database, endDatabase, type Operation, startOperation } from './database-span.js'
import { filesOf } from './libraries.js'
import { redisErrorCode, redisOperation } from './redis-command.js'
import { type Failure, spanOfChannel } from './traced-channel.js'

/** What node-redis publishes of a command, and of commands that go together. */
interface Told {
  readonly command?: unknown
  /** The command's name first, from 5.12 on. */
  readonly args?: unknown
  readonly batchMode?: unknown
  readonly batchSize?: unknown
  readonly database?: unknown
  readonly serverAddress?: unknown
  readonly serverPort?: unknown
}

let tracer: Tracer | undefined

/**
 * node-redis: a span of each command, and of each `multi` or pipeline as a whole. From 5.12 on it tells of them on its tracing channels; before,
 * commands are seen one by one as they are queued, where it is not known to which server they go.
 */
export const redis: Instrumentation = { name: 'redis', versions: '4 to 6', enable }

function enable(by: Tracer): Disable {
  tracer = by
  const undo = ['node-redis:command', 'node-redis:batch'].map((name) =>
    spanOfChannel<Told>(name, (told) => startTold(by, told), end),
  )
  undo.push(onLoads(new Map<string, OnLoad>(filesOf('redis').map((request) => [request, patch]))))
  return () => {
    tracer = undefined
    for (const fn of undo) fn()
  }
}

function startTold(by: Tracer, told: Told): Span | undefined {
  const { command, args, batchMode, batchSize, database, serverAddress, serverPort } = told
  const to: Database = {
    system: 'redis',
    namespace: typeof database === 'number' ? String(database) : undefined,
    address: typeof serverAddress === 'string' ? serverAddress : undefined,
    port: Number(serverPort) || undefined,
  }
  if (typeof command === 'string') {
    // Part of a pipeline, which has a span of its own.
    if (batchMode !== undefined) return undefined
    return startOperation(by, to, redisOperation(command, Array.isArray(args) ? args.slice(1) : []))
  }
  return startOperation(by, to, {
    name: typeof batchMode === 'string' ? batchMode : 'PIPELINE',
    size: typeof batchSize === 'number' ? batchSize : undefined,
  })
}

function patch({ exports, parent }: Loaded): undefined {
  // The file of the versions that publish.
  if (!/[\\/]@redis[\\/]client[\\/]/.test(parent) || existsSync(join(dirname(parent), 'tracing.js'))) return
  const prototype = prototypeOf((exports as { default?: unknown } | undefined)?.default)
  if (prototype !== undefined) patchMethod(prototype, 'addCommand', queueing, 'spans')
}

function queueing(original: Method): Method {
  return function (...args) {
    if (tracer === undefined) return original.apply(this, args)
    const span = guarded('redis', () => {
      const operation = operationOf(args[0])
      return operation === undefined ? undefined : startOperation(tracer!, { system: 'redis' }, operation)
    })
    if (span === undefined) return original.apply(this, args)
    return followResult(original.apply(this, args), (failure) => end(span, failure))
  }
}

function operationOf(args: unknown): Operation | undefined {
  if (!Array.isArray(args) || args.length === 0) return undefined
  return redisOperation(String(args[0]), args.slice(1))
}

function end(span: Span, failure?: Failure): void {
  endDatabase(span, failure, redisErrorCode)
}
