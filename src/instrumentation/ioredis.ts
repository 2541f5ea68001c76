import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Span, Tracer } from '@opentelemetry/api'
import { type Disable, subscribe } from '../hooks/channels.js'
import { guarded } from '../hooks/guarded.js'
import { type Loaded, type OnLoad, onLoads } from '../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../hooks/patch-method.js'
import type { Instrumentation } from './contract.js'
import { databaseOf, endDatabase, startOperation } from './database-span.js'
import { filesOf, inFolder } from './libraries.js'
import { type RedisTold, startRedis } from './redis-channel.js'
import { redisErrorCode, redisOperation } from './redis-command.js'
import { followIoredis } from './redis-context.js'
import { type Failure, spanOfChannel } from './traced-channel.js'

interface Command {
  readonly name?: unknown
  readonly args?: unknown
  resolve?: unknown
  reject?: unknown
}

interface Client {
  readonly options?: {
    readonly host?: unknown
    readonly port?: unknown
    readonly path?: unknown
    readonly db?: unknown
  }
  readonly condition?: { readonly select?: unknown } | null
}

/** Any file of ioredis. */
const FILE = inFolder('ioredis')

let tracer: Tracer | undefined
/** How many batches are being sent. */
let batches = 0
/** Commands that have a span. One that waited for its connection is sent twice. */
const sent = new WeakSet<object>()

/**
 * ioredis: a span of each command, and of each `multi`. From 5.11 on it tells of them on its tracing channels; before, a client is seen to send
 * them, those of a `multi` one by one.
 */
export const ioredis: Instrumentation = { name: 'ioredis', versions: '5, 6', enable, follow: followIoredis }

function enable(by: Tracer): Disable {
  tracer = by
  const undo = ['ioredis:command', 'ioredis:batch'].map((name) =>
    spanOfChannel<RedisTold>(
      name,
      // A command that a batch sends, which has a span of its own.
      (told) => (told.command !== undefined && batches > 0 ? undefined : startRedis(by, told, 0)),
      end,
    ),
  )
  undo.push(
    subscribe({
      'tracing:ioredis:batch:start': () => void batches++,
      'tracing:ioredis:batch:end': () => void batches--,
    }),
  )
  undo.push(onLoads(new Map<string, OnLoad>(filesOf('ioredis').map((request) => [request, patch]))))
  return () => {
    tracer = undefined
    batches = 0
    for (const fn of undo) fn()
  }
}

function patch({ exports, parent }: Loaded): undefined {
  // The file of the versions that publish.
  if (!FILE.test(parent) || existsSync(join(dirname(parent), 'tracing.js'))) return
  const prototype = prototypeOf((exports as { default?: unknown } | undefined)?.default)
  if (prototype !== undefined) patchMethod(prototype, 'sendCommand', sending, 'spans')
}

function sending(original: Method): Method {
  return function (...args) {
    const command = args[0] as Command | undefined
    if (tracer !== undefined && typeof command?.name === 'string' && !sent.has(command))
      guarded('ioredis', () => watch(tracer!, this as Client, command))
    return original.apply(this, args)
  }
}

/** By what settles the command: to follow its promise would make its failure one that somebody has handled. */
function watch(by: Tracer, { options, condition }: Client, command: Command): void {
  sent.add(command)
  const { path, host, port, db } = options ?? {}
  const { name, args, resolve, reject } = command
  const to = databaseOf('redis', condition?.select ?? db, path ?? host, port)
  const span = startOperation(by, to, redisOperation(name as string, Array.isArray(args) ? args : []))
  if (span === undefined || typeof resolve !== 'function' || typeof reject !== 'function') {
    span?.end()
    return
  }
  command.resolve = function (this: unknown, ...values: unknown[]) {
    end(span)
    return Reflect.apply(resolve, this, values)
  }
  command.reject = function (this: unknown, ...values: unknown[]) {
    end(span, { error: values[0] })
    return Reflect.apply(reject, this, values)
  }
}

function end(span: Span, failure?: Failure): void {
  endDatabase(span, failure, redisErrorCode)
}
