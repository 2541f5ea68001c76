import { getEventListeners, setMaxListeners } from 'node:events'
import type { Context } from '@opentelemetry/api'
import { now } from '../../core/clock.js'
import { DEADLINE_KEY } from '../deadline.js'
import { outside } from './contexts.js'
import { type Follower, type Source, timeUp } from './source.js'

/** The longest delay that a timer takes. */
const LONGEST = 2 ** 31 - 1

/** By the signals that they have made. */
const scopes = new WeakMap<AbortSignal, Scope>()

/** Scopes that somebody waits for: they live until they have aborted. */
const awaited = new Set<Scope>()

/** What a scope has set up, undone once nobody can see the scope any more. It must not refer to the scope. */
interface SetUp {
  readonly ref: WeakRef<Follower>
  readonly sources: readonly Source[]
  timer: NodeJS.Timeout | undefined
}

const undo = ({ ref, sources, timer }: SetUp): void => {
  clearTimeout(timer)
  for (const source of sources) source.unfollow(ref)
}

const abandoned = new FinalizationRegistry(undo)

/**
 * What limits a context: a time, and signals. It is a pair of fields until its signal, or its end, is asked for.
 *
 * From then on a timer and what it listens to know it by a weak reference, as those of `AbortSignal.timeout` do: it costs nothing once nobody
 * can see it. As long as somebody listens to its signal, it stays.
 */
export class Scope implements Follower {
  private controller: AbortController | undefined
  private setUp: SetUp | undefined
  private failure: { readonly reason: unknown } | undefined
  private readonly calls = new Set<(reason: unknown) => void>()

  /**
   * @param until Milliseconds of this thread's clock (`now()`); `Infinity` for no deadline.
   * @param sources Those that it aborts with.
   */
  constructor(
    readonly until: number,
    readonly sources: readonly Source[],
  ) {}

  /** Why it has aborted; undefined where it has not. Looks anew at each call, and aborts. */
  get over(): { readonly reason: unknown } | undefined {
    if (this.failure === undefined) {
      const source = this.sources.find((one) => one.state() !== undefined)
      if (source !== undefined) this.abort(source.reason())
      else if (now() >= this.until) this.abort(timeUp())
    }
    return this.failure
  }

  look(): void {
    // What it says is done by asking.
    void this.over
  }

  /** Its AbortSignal. */
  get signal(): AbortSignal {
    const [only, ...others] = this.sources
    if (only?.signal !== undefined && others.length === 0 && this.until === Number.POSITIVE_INFINITY)
      return only.signal
    if (this.controller === undefined) {
      this.controller = new AbortController()
      this.describe(this.controller.signal)
      this.watch()
      if (this.failure !== undefined) this.controller.abort(this.failure.reason)
    }
    return this.controller.signal
  }

  /** Calls `fn` when it aborts, now or later. @returns ends it. */
  onAbort(fn: (reason: unknown) => void): () => void {
    this.watch()
    if (this.failure !== undefined) {
      fn(this.failure.reason)
      return () => {}
    }
    this.calls.add(fn)
    this.hold()
    return () => {
      this.calls.delete(fn)
      this.hold()
    }
  }

  private abort(reason: unknown): void {
    this.failure = { reason }
    awaited.delete(this)
    if (this.setUp !== undefined) {
      undo(this.setUp)
      abandoned.unregister(this)
    }
    this.controller?.abort(reason)
    for (const fn of this.calls) fn(reason)
    this.calls.clear()
  }

  /** Aborts by itself from now on. */
  private watch(): void {
    if (this.setUp !== undefined || this.over !== undefined) return
    const { until, sources } = this
    const ref = new WeakRef<Follower>(this)
    const setUp: SetUp = { ref, sources, timer: undefined }
    this.setUp = setUp
    abandoned.register(this, setUp, this)
    for (const source of sources) source.follow(ref)
    // Before the first one was followed, or while the others were.
    this.look()
    if (this.failure === undefined && until !== Number.POSITIVE_INFINITY) start(setUp, until)
  }

  /** Stays as long as somebody waits for it. */
  private hold(): void {
    const signal = this.controller?.signal
    const isHeard = signal !== undefined && getEventListeners(signal, 'abort').length > 0
    if (this.failure === undefined && (isHeard || this.calls.size > 0)) awaited.add(this)
    else awaited.delete(this)
  }

  /**
   * Gives the signal the properties by which it is true to the moment, and by which it is seen who listens. They are the signal's own, not
   * enumerable, and otherwise do what the class's do.
   */
  private describe(signal: AbortSignal): void {
    setMaxListeners(0, signal)
    scopes.set(signal, this)
    // The signal keeps its scope, whose timer would be gone without it.
    const scope = this
    const { prototype } = AbortSignal
    const get = (name: 'aborted' | 'reason') => {
      const original = Object.getOwnPropertyDescriptor(prototype, name)!.get!
      return {
        configurable: true,
        get(this: AbortSignal): unknown {
          if (this === signal) scope.look()
          return original.call(this)
        },
      }
    }
    const method = (name: 'throwIfAborted' | 'addEventListener' | 'removeEventListener') => ({
      configurable: true,
      writable: true,
      value(this: AbortSignal, ...args: unknown[]): unknown {
        if (name === 'throwIfAborted') scope.look()
        try {
          return Reflect.apply(prototype[name], this, args)
        } finally {
          if (name !== 'throwIfAborted') scope.hold()
        }
      },
    })
    Object.defineProperties(signal, {
      aborted: get('aborted'),
      reason: get('reason'),
      throwIfAborted: method('throwIfAborted'),
      addEventListener: method('addEventListener'),
      removeEventListener: method('removeEventListener'),
    })
  }
}

function start(setUp: SetUp, until: number): void {
  const left = Math.max(0, Math.ceil(until - now()))
  const look = (): void => {
    const scope = setUp.ref.deref()
    if (scope === undefined) return
    scope.look()
    // Longer than a timer takes, or it came a little early.
    if (now() < until) start(setUp, until)
  }
  setUp.timer = outside(() => setTimeout(look, Math.min(left, LONGEST)))
  setUp.timer.unref()
}

/** That of a context; undefined where nothing limits it. */
export function scopeIn(context: Context): Scope | undefined {
  return context.getValue(DEADLINE_KEY) as Scope | undefined
}

/** That which has made a signal; undefined for one of somebody else's. */
export function scopeOf(signal: AbortSignal): Scope | undefined {
  return scopes.get(signal)
}
