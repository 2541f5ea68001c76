import { ThreadspanError } from '../../core/errors.js'
import { isMalformed } from '../receiver/sink.js'

/** Which traces are looked for; everything that is given must hold. */
export interface TraceSearch {
  service?: string
  /** Start of the traces, milliseconds since the epoch. */
  from: number
  to: number
  /** Shortest duration, milliseconds. */
  minDuration?: number
  /** Attributes that a span of the trace, or its resource, has. */
  attributes: readonly [key: string, value: string][]
  /** Most traces. */
  limit: number
}

/** Encoded `ExportTraceServiceRequest`s, a page at a time. */
export type Pages = AsyncGenerator<readonly Uint8Array[], void>

/** A server that keeps traces, and is asked for them. All that it answers is bounded and checked. */
export interface Source {
  /** What it is, and where: without anything secret. */
  readonly name: string
  /**
   * All spans of a trace; none where the source does not have it.
   * @param id 32 hexadecimal digits.
   * @throws ThreadspanError `THREADSPAN_SOURCE_UNREACHABLE`, `THREADSPAN_SOURCE_ANSWER`
   */
  trace(id: string): Pages
  /**
   * All spans of the latest traces that meet a search.
   * @throws ThreadspanError `THREADSPAN_SOURCE_UNREACHABLE`, `THREADSPAN_SOURCE_ANSWER`
   */
  search(search: TraceSearch): Pages
}

/** An answer is not what the source's API has. */
export function badAnswer(name: string, why: string, cause?: unknown): ThreadspanError {
  return new ThreadspanError('THREADSPAN_SOURCE_ANSWER', `${name}: ${why}`, { cause })
}

/** What `read` returns. @throws ThreadspanError `THREADSPAN_SOURCE_ANSWER` where it finds data of another form than it must have. */
export function checked<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isMalformed(error)) throw error
    throw badAnswer(name, `what it answered is not as its API has it: ${(error as Error).message}`, error)
  }
}
