/** What a signal hangs on: one of this thread, of another thread, of another process. */

/** What is to be told. Held weakly. */
export interface Follower {
  look(): void
}

/** The two kinds of reason that cross to other threads and processes. */
export type Kind = 'abort' | 'timeout'

export abstract class Source {
  private readonly followers = new Set<WeakRef<Follower>>()
  private readonly relays = new Set<(kind: Kind) => void>()
  private isListening = false
  private crossed: DOMException | undefined

  /** The signal itself, where it is of this thread. */
  readonly signal: AbortSignal | undefined = undefined

  /** Undefined as long as it has not aborted. Looks anew at each call. */
  abstract state(): Kind | undefined

  /** Calls `fire` when it aborts. */
  protected abstract listen(): void
  protected abstract unlisten(): void

  /** Of what has aborted. */
  reason(): unknown {
    this.crossed ??= this.state() === 'timeout' ? timeUp() : givenUp()
    return this.crossed
  }

  /** Tells `follower` when this aborts, as long as it lives. */
  follow(follower: WeakRef<Follower>): void {
    this.followers.add(follower)
    this.start()
  }

  unfollow(follower: WeakRef<Follower>): void {
    this.followers.delete(follower)
    this.stop()
  }

  /** Passes on to where others look that it has aborted, now or later. `to` must not refer to this. */
  relay(to: (kind: Kind) => void): void {
    const kind = this.state()
    if (kind !== undefined) {
      to(kind)
      return
    }
    this.relays.add(to)
    this.start()
  }

  unrelay(to: (kind: Kind) => void): void {
    this.relays.delete(to)
    this.stop()
  }

  protected fire(): void {
    const kind = this.state()
    if (kind === undefined) return
    if (this.isListening) this.unlisten()
    this.isListening = false
    for (const to of this.relays) to(kind)
    this.relays.clear()
    const followers = [...this.followers]
    this.followers.clear()
    for (const follower of followers) follower.deref()?.look()
  }

  private start(): void {
    if (this.isListening) return
    this.isListening = true
    this.listen()
  }

  private stop(): void {
    if (!this.isListening || this.followers.size > 0 || this.relays.size > 0) return
    this.isListening = false
    this.unlisten()
  }
}

/** The reason of `AbortSignal.timeout`. */
export function timeUp(): DOMException {
  return new DOMException('The operation was aborted due to timeout', 'TimeoutError')
}

/** The reason of `AbortController.abort()`. */
function givenUp(): DOMException {
  return new DOMException('This operation was aborted', 'AbortError')
}

/** A signal of this thread. */
class OwnSource extends Source {
  private readonly fired = (): void => this.fire()

  constructor(override readonly signal: AbortSignal) {
    super()
  }

  state(): Kind | undefined {
    const { signal } = this
    if (!signal.aborted) return undefined
    const { reason } = signal
    return typeof reason === 'object' && reason?.name === 'TimeoutError' ? 'timeout' : 'abort'
  }

  override reason(): unknown {
    return this.signal.reason
  }

  protected listen(): void {
    this.signal.addEventListener('abort', this.fired)
  }

  protected unlisten(): void {
    this.signal.removeEventListener('abort', this.fired)
  }
}

const sources = new WeakMap<AbortSignal, Source>()

/** The source that a signal of this thread is; the same one for the same signal. */
export function sourceOf(signal: AbortSignal): Source {
  let source = sources.get(signal)
  if (source === undefined) {
    source = new OwnSource(signal)
    sources.set(signal, source)
  }
  return source
}

/** The newest relays of a thread: as many as there is room for where others look. It keeps no source alive. */
export class Relays {
  private readonly drops: (() => void)[] = []
  private next = 0

  constructor(private readonly most: number) {}

  /** @param dropped Called once newer ones have taken the place. */
  add(source: Source, to: (kind: Kind) => void, dropped?: () => void): void {
    source.relay(to)
    const ref = new WeakRef(source)
    const at = this.next++ % this.most
    this.drops[at]?.()
    this.drops[at] = () => {
      ref.deref()?.unrelay(to)
      dropped?.()
    }
  }
}
