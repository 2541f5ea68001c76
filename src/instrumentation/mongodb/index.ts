import type { Span, Tracer } from '@opentelemetry/api'
import { followResult } from '../../context/settled.js'
import { guarded } from '../../hooks/guarded.js'
import { type Loaded, type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod } from '../../hooks/patch-method.js'
import type { Instrumentation } from '../contract.js'
import {
  databaseOf,
  endDatabase,
  type Operation,
  serverAttributes,
  startOperation,
} from '../database-span.js'
import { filesOf, inFolder } from '../libraries.js'
import { followMongoose } from './mongoose.js'
import { FIELD, shapeOf } from './shape.js'

/** What the driver makes of each call of the application, as far as it is read here. */
interface MongoOperation {
  readonly commandName?: unknown
  readonly ns?: { readonly db?: unknown; readonly collection?: unknown }
  /** Of those that are told of their collection, or the name of it. */
  readonly collection?: { readonly collectionName?: unknown }
  readonly collectionName?: unknown
  readonly target?: unknown
  readonly command?: object
  readonly filter?: unknown
  readonly query?: unknown
  readonly update?: unknown
  readonly pipeline?: unknown
  readonly documents?: unknown
  readonly statements?: unknown
  /** Where it was sent. */
  readonly server?: {
    readonly description?: { readonly hostAddress?: { readonly host?: unknown; readonly port?: unknown } }
  }
}

const FILE = inFolder('mongodb')
/** Commands that the driver also sends by itself. */
const UPKEEP = new Set(['endSessions', 'killCursors', 'ping', 'hello'])
/** What of an operation is shown, and what the command calls it. */
const SHOWN = {
  filter: 'filter',
  query: 'query',
  update: 'update',
  pipeline: 'pipeline',
  documents: 'documents',
} as const
/** What a command calls its statements. */
const STATEMENTS: Readonly<Record<string, string>> = { update: 'updates', delete: 'deletes' }

let tracer: Tracer | undefined

/**
 * mongodb, and Mongoose by it: a span of each operation, from the call to the server's answer, its retries and the wait for a connection included. A
 * cursor has one for each time that it asks the server.
 */
export const mongodb: Instrumentation = {
  name: 'mongodb',
  versions: '6, 7',
  enable(by) {
    tracer = by
    const forget = onLoads(new Map<string, OnLoad>(filesOf('mongodb').map((request) => [request, patch])))
    return () => {
      tracer = undefined
      forget()
    }
  },
  follow: followMongoose,
}

function patch({ exports, parent }: Loaded): undefined {
  // The driver's files call it as a property of this one's exports.
  if (FILE.test(parent)) patchMethod(exports as object, 'executeOperation', executing, 'spans')
}

function executing(original: Method): Method {
  return function (...args) {
    const operation = args[1] as MongoOperation
    const span = tracer && guarded('mongodb', () => start(tracer!, operation))
    if (!span?.isRecording()) return original.apply(this, args)
    const result = original.apply(this, args)
    let failed: unknown
    if (result instanceof Promise) {
      // Part of a `bulkWrite` tells of its failures in its result.
      return followResult(
        result.then((value) => {
          failed = (value as { writeErrors?: readonly unknown[] } | undefined)?.writeErrors?.[0]
          return value as unknown
        }),
        (failure) => end(span, operation, failure?.error ?? failed),
      )
    }
    span.end()
    return result
  }
}

function start(by: Tracer, operation: MongoOperation): Span | undefined {
  return startOperation(
    by,
    databaseOf('mongodb', operation.ns?.db, undefined, undefined),
    describe(operation),
  )
}

function describe(operation: MongoOperation): Operation {
  const { command, documents, statements, target, ns } = operation
  // Of a command that the application has made itself, the first field is its name.
  const given = String((command && Object.keys(command)[0]) ?? operation.commandName)
  const name = FIELD.test(given) ? given : '_OTHER'
  const of = [operation.collection?.collectionName, operation.collectionName, target, ns?.collection].find(
    (each) => typeof each === 'string' && each !== '' && !each.startsWith('$'),
  )
  const collection = command === undefined ? (of as string | undefined) : undefined
  const shown: Record<string, unknown> = { [name]: collection ?? 1 }
  for (const [field, as] of Object.entries(SHOWN)) {
    const value = operation[field as keyof typeof SHOWN]
    if (value !== undefined && value !== null) shown[as] = value
  }
  if (Array.isArray(statements)) shown[STATEMENTS[name] ?? 'statements'] = statements
  const list = [documents, statements].find(Array.isArray)
  return {
    name,
    collection,
    text: shapeOf(shown).replace('"?"', () => JSON.stringify(collection ?? 1)),
    size: list?.length,
    isUpkeep: UPKEEP.has(name),
  }
}

function end(span: Span, { server }: MongoOperation, error: unknown): void {
  guarded('mongodb', () => {
    const { host, port } = server?.description?.hostAddress ?? {}
    span.setAttributes(serverAttributes(databaseOf('mongodb', undefined, host, port)))
  })
  endDatabase(span, error === undefined ? undefined : { error }, errorCode, messageOf)
}

/** MongoDB's number of an error (its manual, "Error Codes"). */
function errorCode(error: object): unknown {
  const { code } = error as { code?: unknown }
  return typeof code === 'number' ? code : undefined
}

/** The server's message quotes the documents that it is about; its name of the error does not. */
function messageOf(error: object): string | undefined {
  const {
    codeName,
    errmsg,
    message = errmsg,
  } = error as { codeName?: unknown; errmsg?: unknown; message?: unknown }
  if (errorCode(error) === undefined) return undefined
  return typeof codeName === 'string' ? codeName : String(message ?? '').split(/[{:]/)[0]
}
