/** What an answer that is not to be tried again makes of a request, and what the user is told of it. */
import type { Answer } from './client.js'
import type { Notices } from './notices.js'

export const ACCEPTED = 'accepted'
export const TOO_LARGE = 'too-large'
export const REJECTED = 'rejected'

/** What has become of a request's spans. */
export interface Judgement {
  readonly outcome: typeof ACCEPTED | typeof TOO_LARGE | typeof REJECTED
  /** Spans that were taken. */
  readonly delivered: number
}

/** @param spans How many the request held. */
export function judge(answer: Answer, spans: number, notices: Notices): Judgement {
  const { verdict, words, partial } = answer
  notices.reached()
  if (verdict === 'too-large') {
    notices.complain(
      'THREADSPAN_EXPORT_TOO_LARGE',
      `finds requests too large (${words}); smaller ones are sent`,
    )
    return { outcome: TOO_LARGE, delivered: 0 }
  }
  if (verdict !== 'taken') {
    notices.complain('THREADSPAN_EXPORT_REJECTED', `refuses ${notices.what} with ${words}`)
    return { outcome: REJECTED, delivered: 0 }
  }
  const { rejected, message } = partial
  if (rejected > 0 || message !== '') {
    notices.complain(
      'THREADSPAN_EXPORT_PARTIAL',
      `refused ${rejected} of ${spans} ${notices.what}${message === '' ? '' : `: ${message}`}`,
    )
  }
  return { outcome: ACCEPTED, delivered: spans - Math.min(rejected, spans) }
}
