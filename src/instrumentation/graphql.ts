import { isDeactivated } from '../config/live.js'
import { recordError } from '../context/exception.js'
import { guard, subscribe } from '../hooks/channels.js'
import { imitate } from '../hooks/imitate.js'
import type { Instrumentation } from './contract.js'
import { FewNames } from './frameworks/few-names.js'
import { frameworkOf } from './frameworks/libraries.js'
import { aroundFunctions } from './frameworks/loads.js'
import { requests } from './frameworks/requests.js'

/** What graphql publishes of an execution, from version 17. */
interface ExecuteMessage {
  readonly operationName?: unknown
  readonly operationType?: unknown
  readonly result?: unknown
}

/** What the parser makes of a document. */
interface Document {
  readonly definitions?: readonly {
    readonly kind?: unknown
    readonly operation?: unknown
    readonly name?: { readonly value?: unknown }
  }[]
}

interface ExecutionArgs {
  readonly document?: Document
  readonly operationName?: unknown
}

/** An error of a field; `originalError` is what its resolver failed with. */
interface FieldError {
  readonly originalError?: unknown
}

const TYPES: ReadonlySet<unknown> = new Set(['query', 'mutation', 'subscription'])
/** Errors of one execution that are told. */
const MOST_ERRORS = 10
/** Characters of an operation's name, which clients choose. */
const MOST_NAME = 100

const names = new FewNames()
let isOn = false

const isOff = (): boolean => !isOn || isDeactivated('graphql')

/**
 * GraphQL: the request's transaction is named by the operation that is executed (`query GetOrders`), and tells of its name and type and of the errors
 * of resolvers. Version 17 publishes that on tracing channels; before, `execute` is gone around. Neither documents nor variables are recorded.
 */
export const graphql: Instrumentation = {
  name: 'graphql',
  versions: '16, 17',
  enable() {
    isOn = true
    const undo = [
      subscribe({
        'tracing:graphql:execute:start': ({ operationName, operationType }: ExecuteMessage) => {
          if (!isOff()) begun(operationType, operationName)
        },
        'tracing:graphql:execute:end': ({ result }: ExecuteMessage) => ended(result),
        'tracing:graphql:execute:asyncEnd': ({ result }: ExecuteMessage) => ended(result),
        'tracing:graphql:subscribe:start': ({ operationName, operationType }: ExecuteMessage) => {
          if (!isOff()) begun(operationType, operationName)
        },
      }),
      aroundFunctions(frameworkOf('graphql'), { execute: executing }),
    ]
    return () => {
      isOn = false
      for (const fn of undo) fn()
    }
  },
}

type Execute = (...args: never[]) => unknown

/** `execute(args)`, in versions that do not publish. */
function executing(original: Execute): Execute {
  requests()?.keepCurrent()
  if (publishes(original)) return original
  const execute = function (this: unknown, ...args: [ExecutionArgs, ...unknown[]]): unknown {
    if (isOff()) return Reflect.apply(original, this, args)
    operationOf(args[0])
    const result: unknown = Reflect.apply(original, this, args)
    if (result instanceof Promise) result.then(ended, () => {})
    else ended(result)
    return result
  }
  return imitate(execute as never, original as never) as Execute
}

/** Version 17 has a way for the case that somebody listens. */
const publishes = (execute: Execute): boolean => /\bexecuteChannel\b/.test(String(execute))

const operationOf = guard('graphql operation', ({ document, operationName }: ExecutionArgs) => {
  const operations = document?.definitions?.filter(({ kind }) => kind === 'OperationDefinition') ?? []
  const wanted = typeof operationName === 'string' ? operationName : undefined
  const operation =
    wanted === undefined ? operations[0] : operations.find(({ name }) => name?.value === wanted)
  if (operation !== undefined) begun(operation.operation, operation.name?.value)
})

const begun = guard('graphql operation', (type: unknown, name: unknown) => {
  // In a bundle this is the first that is seen of it.
  requests()?.keepCurrent()
  const handled = requests()?.current()
  // One request may bring several operations: it is named by the first.
  if (handled === undefined || !TYPES.has(type) || operations.has(handled)) return
  operations.add(handled)
  const { span } = handled
  span.setAttribute('graphql.operation.type', String(type))
  const isNamed = typeof name === 'string' && name !== ''
  const shown = isNamed ? name.slice(0, MOST_NAME) : ''
  if (isNamed) span.setAttribute('graphql.operation.name', shown)
  requests()?.setName(handled, isNamed && names.has(shown) ? `${type} ${shown}` : String(type))
})

/** Requests that are named by an operation. */
const operations = new WeakSet<object>()

const ended = guard('graphql errors', (result: unknown) => {
  const { errors } = (result ?? {}) as { readonly errors?: unknown }
  if (isOff() || !Array.isArray(errors)) return
  const handled = requests()?.current()
  if (handled === undefined) return
  const told = new Set<unknown>()
  for (const { originalError } of errors as readonly FieldError[]) {
    if (told.size === MOST_ERRORS) return
    if (originalError === undefined || told.has(originalError) || isAnswer(originalError)) continue
    told.add(originalError)
    handled.error ??= originalError
    recordError(handled.span, originalError)
  }
})

/** Whether it is the resolver's answer to what the client has asked for, rather than an error of the service: it says so itself. */
function isAnswer(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const { name, status, statusCode, extensions } = error as Record<string, unknown>
  for (const code of [status, statusCode])
    if (typeof code === 'number' && code >= 400 && code < 500) return true
  if (name !== 'GraphQLError') return false
  return (extensions as { code?: unknown } | undefined)?.code !== 'INTERNAL_SERVER_ERROR'
}
