import { MAX_INTEGER } from '../config/variables.js'
/** One `export` call under way: its deadline, which may come nearer, and what has become of its spans so far. */
export class ExportCall {
  /** Milliseconds since the epoch. */
  deadline
  /** Why nothing more is to be tried, once that is so. */
  over
  #made
  #controller = new AbortController()
  #dropped = new Map()
  #pauses = new Set()
  #delivered = 0
  #timer
  constructor(made, deadline) {
    this.#made = made
    this.deadline = deadline
    this.#arm()
  }
  /** Aborted when the deadline has passed or the call was ended. */
  get signal() {
    return this.#controller.signal
  }
  /** Milliseconds that are left, within what timers take. */
  get remaining() {
    return Math.max(0, Math.min(this.deadline - Date.now(), MAX_INTEGER))
  }
  delivered(spans) {
    this.#delivered += spans
  }
  dropped(cause, spans) {
    if (spans > 0) this.#dropped.set(cause, (this.#dropped.get(cause) ?? 0) + spans)
  }
  hurry(deadline) {
    if (deadline >= this.deadline) return
    this.deadline = deadline
    this.#arm()
    for (const wake of this.#pauses) wake()
  }
  /** Tries nothing more; what is left is dropped for `cause`. */
  end(cause) {
    this.over ??= cause
    this.#stop()
  }
  /** Waits. It ends early when the call is over, or in a hurry: then there may be no later chance. */
  async pause(milliseconds) {
    if (this.signal.aborted) return
    await new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#pauses.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, Math.min(milliseconds, MAX_INTEGER))
      this.#pauses.add(wake)
    })
  }
  /** The result; what nobody accounted for failed. */
  finish() {
    clearTimeout(this.#timer)
    let known = this.#delivered
    for (const count of this.#dropped.values()) known += count
    this.dropped('failed', this.#made - known)
    return { delivered: this.#delivered, dropped: this.#dropped }
  }
  #arm() {
    clearTimeout(this.#timer)
    if (this.deadline - Date.now() > MAX_INTEGER) return
    this.#timer = setTimeout(() => this.#stop(), this.remaining)
  }
  #stop() {
    this.#controller.abort()
    for (const wake of this.#pauses) wake()
  }
}
