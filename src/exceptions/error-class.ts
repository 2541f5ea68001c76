import { textOf } from '../core/text.js'

/** Characters of a name that are told. */
export const MAX_FIELD = 256

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
  return isError(error) ? (fieldOf(error, 'message') ?? '') : textOf(error)
}

/** Also those of other realms (`node:vm`) and DOMExceptions. Never throws, whatever a proxy's traps do. */
export function isError(error: unknown): error is Error {
  try {
    if (error instanceof Error) return true
  } catch {
    return false
  }
  return typeof error === 'object' && error !== null && typeof fieldOf(error, 'stack') === 'string'
}

export function fieldOf(error: unknown, name: 'message' | 'stack'): string | undefined {
  try {
    const text: unknown = (error as Record<string, unknown> | undefined | null)?.[name]
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}
