import { inSources } from './sources.js'
import { culpritOf, fingerprintOf, parseFrames } from './stack.js'

/** What an error is described by: the attributes of an `exception` event. */
export interface ExceptionAttributes extends Record<string, string> {
  'exception.type': string
  'exception.message': string
}

/** Errors behind one another that are told: causes of causes, and the errors of an AggregateError, together. */
const MAX_RELATED = 8
const MAX_STACK = 16_384
const MAX_MESSAGE = 4096
/** Own fields that are told, and characters of each. */
const MAX_FIELDS = 16
const MAX_FIELD = 256

/** Fields that are told elsewhere. */
const KNOWN = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors'])
/** Fields whose content is nobody's business. */
const SECRET = /pass(?:word|phrase)?|secret|token|auth|cookie|credential|key|session|signature/i

/**
 * Describes whatever was thrown or rejected with, by the attributes of OpenTelemetry's semantic conventions for exceptions, and ours:
 *
 * - `exception.type`: the name of its class; `exception.message`; `exception.stacktrace`: its stack, then those of its causes and of the
 *   errors of an AggregateError, as `Caused by: …` and `Error 1 of 2: …`.
 * - `threadspan.error.code`; `threadspan.error.fields`: JSON of its own fields, simple values alone, bounded, and without what looks
 *   like a secret; `threadspan.error.culprit`: the application's innermost frame; `threadspan.error.fingerprint`: what groups it.
 *
 * Stacks tell of the sources, where source maps are at hand ({@link inSources}). Never throws, whatever getters do.
 */
export function describeException(error: unknown): ExceptionAttributes {
  const type = typeNameOf(error)
  const message = messageOf(error).slice(0, MAX_MESSAGE)
  const attributes: ExceptionAttributes = { 'exception.type': type, 'exception.message': message }
  const stack = inSources(textOf(error, 'stack') ?? '')
  const frames = parseFrames(stack)
  const whole = stack + inSources(relatedStacks(error))
  if (whole !== '') attributes['exception.stacktrace'] = whole.slice(0, MAX_STACK)
  const code = codeOf(error)
  if (code !== undefined) attributes['threadspan.error.code'] = code
  const fields = fieldsOf(error)
  if (fields !== undefined) attributes['threadspan.error.fields'] = fields
  const culprit = culpritOf(frames)
  if (culprit !== undefined) attributes['threadspan.error.culprit'] = culprit
  attributes['threadspan.error.fingerprint'] = fingerprintOf(type, code ?? '', message, frames)
  return attributes
}

/**
 * A description that came from another thread, with those that wait for it here.
 *
 * @param told what {@link describeException} gave there, or anything.
 * @param awaiting lines of a stack.
 * @param label what these are.
 * @returns undefined where `told` is no description.
 */
export function describeCrossed(
  told: unknown,
  awaiting: string | undefined,
  label = 'Awaited by',
): ExceptionAttributes | undefined {
  const description = told as ExceptionAttributes | undefined | null
  if (typeof description?.['exception.type'] !== 'string') return undefined
  if (awaiting === undefined) return description
  const text = `\n${label}:\n${inSources(awaiting)}`
  const stack = (description['exception.stacktrace'] ?? '').slice(0, MAX_STACK - text.length)
  return { ...description, 'exception.stacktrace': stack + text }
}

/** The name of an error's class, as in `error.type` (OpenTelemetry semantic conventions); of what is no error, its `typeof`. */
export function typeNameOf(error: unknown): string {
  if (error === null) return 'null'
  if (!isError(error)) return typeof error
  try {
    const { name } = error
    const className = error.constructor?.name
    // Of these many kinds are one class.
    if (className && !['Error', 'DOMException', 'Object'].includes(className))
      return className.slice(0, MAX_FIELD)
    return typeof name === 'string' && name !== '' ? name.slice(0, MAX_FIELD) : 'Error'
  } catch {
    return 'Error'
  }
}

/** Its message; of what is no error, its text. */
export function messageOf(error: unknown): string {
  if (isError(error)) return textOf(error, 'message') ?? ''
  try {
    return String(error)
  } catch {
    return ''
  }
}

/** Also those of other realms (`node:vm`) and DOMExceptions. */
function isError(error: unknown): error is Error {
  if (error instanceof Error) return true
  return typeof error === 'object' && error !== null && typeof textOf(error, 'stack') === 'string'
}

function textOf(error: unknown, name: 'message' | 'stack'): string | undefined {
  try {
    const text: unknown = (error as Record<string, unknown> | undefined | null)?.[name]
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
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
      text += `\n${label}: ${textOf(other, 'stack') ?? messageOf(other).slice(0, MAX_MESSAGE)}`
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
      if (!isSimple) continue
      fields[name] = typeof value === 'string' ? value.slice(0, MAX_FIELD) : value
      if (++count === MAX_FIELDS) break
    }
  } catch {
    // A getter that throws: what came before it is told.
  }
  return count === 0 ? undefined : JSON.stringify(fields)
}
