/** What is said of an error. Loaded when the first one is told: see exception.ts. */
import { fieldOf, isError, MAX_FIELD, messageOf, typeNameOf } from './error-class.js'
import type { ExceptionAttributes } from './exception.js'
import { redactText } from './redact-text.js'
import { settings } from './settings.js'
import { inSources } from './source-maps.js'
import { culpritOf, fingerprintOf, parseFrames } from './stack.js'
import { toldStack } from './told-stack.js'

/** Errors behind one another that are told: causes of causes, and the errors of an AggregateError, together. */
const MAX_RELATED = 8
const MAX_STACK = 16_384
const MAX_MESSAGE = 4096
/** Own fields that are told. */
const MAX_FIELDS = 16

/** Fields that are told elsewhere. */
const KNOWN = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors'])
/** Fields whose content is nobody's business. */
const SECRET =
  /pass(?:word|phrase)?|secret|token|auth|cookie|credential|key|session|signature|^(?:pin|otp|cvv|cvc|ssn|pan|iban)$/i

/**
 * Fields whose text says what went wrong and not with what: those of Node's system errors, of HTTP clients, and of databases. What stands in
 * others (`sql`, `detail`, `body`, `url`) is the application's to tell.
 */
const SAFE: ReadonlySet<string> = new Set([
  'syscall',
  'address',
  'hostname',
  'path',
  'dest',
  'signal',
  'type',
  'status',
  'statusCode',
  'statusText',
  'severity',
  'sqlState',
  'sqlstate',
  'routine',
  'schema',
  'table',
  'column',
  'constraint',
  'dataType',
  'errorCode',
  'reason',
])

function isTold(name: string): boolean {
  return SAFE.has(name) || settings.fields.has(name) || settings.fields.has('*')
}

/** See `describeException` of exception.ts. */
export function describeException(error: unknown): ExceptionAttributes {
  const type = typeNameOf(error)
  const message = redactText(messageOf(error)).slice(0, MAX_MESSAGE)
  const attributes: ExceptionAttributes = { 'exception.type': type, 'exception.message': message }
  const stack = inSources(fieldOf(error, 'stack') ?? '')
  const frames = parseFrames(stack)
  const whole = toldStack(stack + inSources(relatedStacks(error)))
  if (whole !== '') attributes['exception.stacktrace'] = redactText(whole.slice(0, MAX_STACK))
  const code = codeOf(error)
  if (code !== undefined) attributes['threadspan.error.code'] = code
  const fields = fieldsOf(error)
  if (fields !== undefined) attributes['threadspan.error.fields'] = fields
  const culprit = culpritOf(frames)
  if (culprit !== undefined) attributes['threadspan.error.culprit'] = culprit
  attributes['threadspan.error.fingerprint'] = fingerprintOf(type, code ?? '', message, frames)
  return attributes
}

/** See `describeCrossed` of exception.ts. */
export function describeCrossed(
  told: unknown,
  awaiting: string | undefined,
  label: string,
): ExceptionAttributes | undefined {
  const description = told as ExceptionAttributes | undefined | null
  if (typeof description?.['exception.type'] !== 'string') return undefined
  if (awaiting === undefined) return description
  const text = toldStack(`\n${label}:\n${inSources(awaiting)}`)
  if (text === '') return description
  const stack = (description['exception.stacktrace'] ?? '').slice(0, MAX_STACK - text.length)
  return { ...description, 'exception.stacktrace': stack + text }
}

function codeOf(error: unknown): string | undefined {
  try {
    const { code } = (error ?? {}) as { code?: unknown }
    return typeof code === 'string' || typeof code === 'number' ? String(code).slice(0, MAX_FIELD) : undefined
  } catch {
    return undefined
  }
}

function relatedStacks(error: unknown): string {
  let text = ''
  const seen = new Set<unknown>([error])
  const visit = (from: unknown): void => {
    let related: readonly (readonly [string, unknown])[]
    try {
      related = relatedTo(from)
    } catch {
      return
    }
    for (const [label, other] of related) {
      if (seen.has(other) || seen.size > MAX_RELATED) continue
      seen.add(other)
      text += `\n${label}: ${fieldOf(other, 'stack') ?? messageOf(other).slice(0, MAX_MESSAGE)}`
      visit(other)
    }
  }
  visit(error)
  return text
}

function relatedTo(error: unknown): (readonly [string, unknown])[] {
  if (!isError(error)) return []
  const related: (readonly [string, unknown])[] = []
  const { cause, errors } = error as { cause?: unknown; errors?: unknown }
  if (cause !== undefined) related.push(['Caused by', cause])
  if (Array.isArray(errors)) {
    for (const [i, each] of errors.slice(0, MAX_RELATED).entries()) {
      related.push([`Error ${i + 1} of ${errors.length}`, each])
    }
  }
  return related
}

function fieldsOf(error: unknown): string | undefined {
  if (!isError(error)) return undefined
  const fields: Record<string, string | number | boolean> = {}
  let count = 0
  try {
    for (const name of Object.keys(error)) {
      if (KNOWN.has(name) || name.length > MAX_FIELD || SECRET.test(name)) continue
      const value: unknown = (error as unknown as Record<string, unknown>)[name]
      const isSimple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      if (!isSimple || (typeof value === 'string' && !isTold(name))) continue
      fields[name] = typeof value === 'string' ? redactText(value).slice(0, MAX_FIELD) : value
      if (++count === MAX_FIELDS) break
    }
  } catch {
    // A getter that throws: what came before it is told.
  }
  return count === 0 ? undefined : JSON.stringify(fields)
}
