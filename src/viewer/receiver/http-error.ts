import type { AnswerCode } from '../../core/codes.js'

/** An HTTP answer that is an error, thrown where it is found out and written by whoever owns the response. */
export class HttpError extends Error {
  override readonly name = 'HttpError'

  /**
   * @param status 400 to 599
   * @param cause what the viewer counts it as, see `Status.dropped` of the API
   */
  constructor(
    readonly status: number,
    readonly code: AnswerCode,
    message: string,
    readonly counted = 'rejected',
  ) {
    super(message)
  }
}
