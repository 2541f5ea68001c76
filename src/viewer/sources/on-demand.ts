import { isThreadspanError } from '../../core/errors.js'
import { HttpError } from '../receiver/http-error.js'
import type { Pages, Source } from './source.js'

/** Most traces that are being asked for at the same time, and that are known to be nowhere. */
const MOST = 8
const MOST_MISSING = 1000

/** Brings the traces that somebody looks for and that are only at the source. */
export class OnDemand {
  readonly #asked = new Map<string, Promise<void>>()
  /** Those that the source did not have, and when it was asked. */
  readonly #missing = new Map<string, number>()

  /** @param read Takes what the source answers. */
  constructor(
    private readonly source: Source,
    private readonly read: (pages: Pages) => Promise<{ spans: number }>,
  ) {}

  /**
   * Asks for a trace, once however many want it. One that was not there is asked for again after ten seconds.
   * @throws HttpError 502 where the source fails, 503 while it is asked for too many.
   */
  bring(id: string): Promise<void> {
    const asked = this.#asked.get(id)
    if (asked !== undefined) return asked
    if (Date.now() - (this.#missing.get(id) ?? 0) < 10_000) return Promise.resolve()
    if (this.#asked.size >= MOST) {
      const text = 'Too many traces are being asked for at once: ask again a little later'
      return Promise.reject(new HttpError(503, 'THREADSPAN_BUSY', text, 'busy'))
    }
    const asking = this.#ask(id).finally(() => this.#asked.delete(id))
    this.#asked.set(id, asking)
    return asking
  }

  async #ask(id: string): Promise<void> {
    try {
      const { spans } = await this.read(this.source.trace(id))
      if (spans > 0) return
      if (this.#missing.size >= MOST_MISSING) this.#missing.clear()
      this.#missing.set(id, Date.now())
    } catch (error) {
      if (!isThreadspanError(error)) throw error
      const code = error.code === 'THREADSPAN_SOURCE_UNREACHABLE' ? error.code : 'THREADSPAN_SOURCE_ANSWER'
      throw new HttpError(502, code, error.message)
    }
  }
}
