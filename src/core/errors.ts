import type { ErrorCode } from './codes.js'

/** Marks our errors whichever copy of this package threw them. */
const BRAND = Symbol.for('threadspan.error')

/** An error that this package throws. Programs tell them apart by `code`, which never changes; messages may. */
export class ThreadspanError extends Error {
  /** Stable, `THREADSPAN_*`. */
  readonly code: ErrorCode

  /**
   * @param message what went wrong and what to do about it.
   * @param options `cause`: the error behind this one.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
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
