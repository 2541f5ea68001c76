/** The codes of the errors that this package throws, with what each says when the thrower has nothing more exact to say. */
export const ERROR_MESSAGES = {
  THREADSPAN_INVALID_ARGUMENT: 'An argument has the wrong type or value',
  THREADSPAN_VALUE_NAME: 'The name of a value must be a string of 1 to 128 characters, and not __proto__',
  THREADSPAN_VALUE_NAME_TAKEN: 'Another AsyncLocalStorage is registered under this name',
  THREADSPAN_VALUE_LIMIT: 'No more than 32 values can be registered to travel along',
  THREADSPAN_VALUE_UNREGISTERED: 'This AsyncLocalStorage is not registered; call propagate() with it first',
  THREADSPAN_OTLP_MALFORMED: 'The bytes are not a valid OTLP message',
} as const

/** What `code` may be: those of the table, and those that a single part of the package keeps to itself. */
export type ErrorCode = keyof typeof ERROR_MESSAGES | `THREADSPAN_${string}`

/** Marks our errors whichever copy of this package threw them. */
const BRAND = Symbol.for('threadspan.error')

/** An error that this package throws. Programs tell them apart by `code`, which never changes; messages may. */
export class ThreadspanError extends Error {
  /** Stable, `THREADSPAN_*`. */
  readonly code: ErrorCode

  /**
   * @param message what went wrong and what to do about it; by default that of {@link ERROR_MESSAGES}.
   * @param options `cause`: the error behind this one.
   */
  constructor(code: ErrorCode, message?: string, options?: ErrorOptions) {
    super(message ?? (ERROR_MESSAGES as Record<string, string>)[code] ?? code, options)
    this.code = code
  }

  static {
    Object.defineProperty(ThreadspanError.prototype, 'name', {
      value: 'ThreadspanError',
      configurable: true,
      writable: true,
    })
    Object.defineProperty(ThreadspanError.prototype, BRAND, { value: true })
  }
}

/** Whether `error` was thrown by this package, by whichever of its copies. */
export function isThreadspanError(error: unknown): error is ThreadspanError {
  return typeof error === 'object' && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true
}
