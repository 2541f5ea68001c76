import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Span, Tracer } from '@opentelemetry/api'
import { followResult } from '../context/settled.js'
import type { Disable } from '../hooks/channels.js'
import { guarded } from '../hooks/guarded.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { endDatabase, type Operation, startOperation } from './database-span.js'
import { filesOf } from './libraries.js'
import { type RedisTold, startRedis } from './redis-channel.js'
import { redisErrorCode, redisOperation } from './redis-command.js'
import { followNodeRedis } from './redis-context.js'
import { type Failure, spanOfChannel } from './traced-channel.js'

let tracer: Tracer | undefined

/**
 * node-redis: a span of each command, and of each `multi` or pipeline as a whole. From 5.12 on it tells of them on its tracing channels; before,
 * commands are seen one by one as they are queued, where it is not known to which server they go.
 */
export const redis: Instrumentation = { name: 'redis', versions: '4 to 6', enable, follow: followNodeRedis }

function enable(by: Tracer): Disable {
  tracer = by
  const undo = ['node-redis:command', 'node-redis:batch'].map((name) =>
    spanOfChannel<RedisTold>(
      name,
      // Its arguments begin with its name; one of a pipeline is part of that one's span.
      (told) =>
        told.command !== undefined && told.batchMode !== undefined ? undefined : startRedis(by, told, 1),
      end,
    ),
  )
  undo.push(onLoads(new Map<string, OnLoad>(filesOf('redis').map((request) => [request, patch]))))
  return () => {
    tracer = undefined
    for (const fn of undo) fn()
  }
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
