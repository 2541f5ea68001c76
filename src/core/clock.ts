/**
 * One clock for a process and its descendants: a wall-clock anchor over the machine's monotonic clock. Every thread
 * derives its times from the anchor it was handed, so a span in a worker or child never seems to start before the span
 * that caused it.
 *
 * The monotonic clock stands still while a laptop sleeps or a container is frozen, and the wall clock may be stepped. So the
 * wall clock is looked at again from time to time; where the two have come apart, the anchor moves, for all threads of the
 * process. Spans that are open then keep what makes them fit together: see `originOf`.
 */
import type { HrTime, TimeInput } from '@opentelemetry/api'

const TWO_32 = 4294967296

// Bound when this is loaded: tests replace the clocks of a process later on, and spans keep real time.
const { timeOrigin } = performance
const monotonic = process.hrtime.bigint
const wall = Date.now

/** Now, in milliseconds since this thread's `performance.timeOrigin`, with nanosecond resolution. */
export const now: () => number = performance.now.bind(performance)

/**
 * Milliseconds of the machine's monotonic clock, the same in every thread. Deadlines are told in it: the wall clock can be stepped, and a
 * program can have replaced `Date.now`.
 */
export const monotonicNow = (): number => Number(monotonic()) / 1e6

/** Where this thread's clock is zero on the wall clock. */
export interface Origin {
  /** Nanoseconds since the epoch, in two 32-bit halves for the encoder. */
  readonly high: number
  readonly low: number
  /** Milliseconds since the epoch, for arithmetic with other times. */
  readonly ms: number
  /** The same in two parts, which together are exact: whole milliseconds, and what is less than one. */
  readonly whole: number
  readonly rest: number
}

/** Nanoseconds by which the wall clock is ahead of `process.hrtime.bigint()`. */
let anchor: bigint | undefined
/** Where `performance.now()` is zero on the monotonic clock, in nanoseconds. */
let zero = 0n
let current: Origin = { high: 0, low: 0, ms: 0, whole: 0, rest: 0 }

/** How far an inherited anchor may lie from this machine's wall clock before it is taken for a stranger's, in nanoseconds. */
const PLAUSIBLE = 2_000_000_000n
/** Milliseconds by which the wall clock may be off before the anchor moves; less is how clocks are kept in step. */
const STEP = 1000
/** Milliseconds between two looks at the wall clock. */
const INTERVAL = 1000
/** A look that took longer, in milliseconds, was interrupted and says nothing. */
const GLIMPSE = 50

let lookedAt = 0

/** Where all threads of a process find the anchor that holds: words of a number (odd while it is written) and of the anchor. */
let shared: Int32Array | undefined
let sharedAt = 0
let seen = 0

/** Where `performance.now()` is zero on the monotonic clock: the tightest of a few bracketed readings. */
function monotonicOrigin(): bigint {
  let best = 0n
  let width = -1n
  for (let i = 0; i < 5; i++) {
    const before = monotonic()
    const time = now()
    const after = monotonic()
    if (width < 0n || after - before < width) {
      width = after - before
      best = (before + after) / 2n - BigInt(Math.round(time * 1e6))
    }
  }
  return best
}

function setAnchor(value: bigint): void {
  anchor = value
  const origin = value + zero
  current = {
    high: Number(origin >> 32n),
    low: Number(origin & 0xffffffffn),
    ms: Number(origin / 1000n) / 1000,
    whole: Number(origin / 1_000_000n),
    rest: Number(origin % 1_000_000n) / 1e6,
  }
}

/**
 * Sets this thread's clock.
 * @param inherited The anchor of the parent thread or process, in nanoseconds; one that is further than two seconds from
 * this machine's wall clock (another host, a suspended laptop) is ignored.
 * @returns The anchor in use, to be handed on.
 */
export function startClock(inherited?: bigint): bigint {
  zero = monotonicOrigin()
  // `timeOrigin` is finer than `Date`, but the machine may have slept since the thread was made.
  const isFresh = Math.abs(wall() - timeOrigin - now()) < STEP
  const own = isFresh
    ? BigInt(Math.round(timeOrigin * 1e3)) * 1000n - zero
    : BigInt(wall()) * 1_000_000n - monotonic()
  const distance = inherited === undefined ? PLAUSIBLE : inherited > own ? inherited - own : own - inherited
  setAnchor(inherited !== undefined && distance < PLAUSIBLE ? inherited : own)
  lookedAt = now()
  return anchor!
}

/**
 * Lets the threads of this process move the anchor together. After `startClock`.
 * @param words The same memory in all threads; three words from `at` on, zeros at first.
 */
export function shareClock(words: Int32Array, at: number): void {
  shared = words
  sharedAt = at
  adopt(words)
}

/** The anchor that holds now, in nanoseconds, to be handed on; the clock is started if it was not. */
export function clockAnchor(): bigint {
  return anchor ?? startClock()
}

/**
 * The origin by which a span's times are written: that of its parent where the wall clock has been set back since, so that no child
 * starts before its parent; otherwise the one that holds now, by which an open parent will end.
 * @param parent The parent's origin in this thread.
 */
export function originOf(parent: Origin | undefined): Origin {
  return parent === undefined || parent === current || parent.ms < current.ms ? current : parent
}

/** Looks at the wall clock, should it be time for that; called where a transaction starts. @param time What `now()` gave. */
export function lookAtWall(time: number): void {
  if (time - lookedAt < INTERVAL) return
  lookedAt = time
  if (shared !== undefined && adopt(shared)) return
  const before = now()
  const there = wall()
  const after = now()
  if (after - before > GLIMPSE || Math.abs(there - current.ms - (before + after) / 2) < STEP) return
  publish(BigInt(there) * 1_000_000n - zero - BigInt(Math.round(((before + after) / 2) * 1e6)))
}

/** Takes the anchor that another thread has set. @returns whether there was one. */
function adopt(words: Int32Array): boolean {
  const number = Atomics.load(words, sharedAt)
  if (number === seen || (number & 1) === 1) return false
  const high = Atomics.load(words, sharedAt + 1)
  const low = Atomics.load(words, sharedAt + 2)
  if (Atomics.load(words, sharedAt) !== number) return false
  seen = number
  setAnchor((BigInt(high) << 32n) | BigInt(low >>> 0))
  return true
}

function publish(value: bigint): void {
  if (shared === undefined) {
    setAnchor(value)
    return
  }
  // Another thread that does the same at this moment comes first; its anchor is taken at the next look.
  if ((seen & 1) === 1 || Atomics.compareExchange(shared, sharedAt, seen, seen + 1) !== seen) return
  Atomics.store(shared, sharedAt + 1, Number(value >> 32n))
  Atomics.store(shared, sharedAt + 2, Number(BigInt.asIntN(32, value)))
  seen += 2
  Atomics.store(shared, sharedAt, seen)
  setAnchor(value)
}

/**
 * Writes a time of this thread as OTLP `fixed64` nanoseconds since the epoch; what lies before the epoch becomes 0.
 * @param words Little-endian 32-bit view; the time takes `at` and `at + 1`.
 * @param time Milliseconds as `now()` gives them.
 */
export function writeUnixNano(words: Int32Array, at: number, time: number, origin: Origin = current): void {
  const nanos = Math.round(time * 1e6)
  const above = Math.floor(nanos / TWO_32)
  let low = nanos - above * TWO_32 + origin.low
  let high = origin.high + above
  if (low >= TWO_32) {
    low -= TWO_32
    high++
  }
  if (high >= 0 && high < TWO_32) {
    words[at] = low | 0
    words[at + 1] = high | 0
  } else {
    words[at] = high < 0 ? 0 : -1
    words[at + 1] = high < 0 ? 0 : -1
  }
}

/** A time of this thread in whole nanoseconds since the epoch. */
export function unixNano(time: number): bigint {
  return (BigInt(current.high) << 32n) + BigInt(current.low) + BigInt(Math.round(time * 1e6))
}

/** Milliseconds since the Unix epoch for a time of this thread. */
export function epochMs(time: number, origin: Origin = current): number {
  return origin.ms + time
}

/** Milliseconds from the origin to a time of so many milliseconds, whole ones first: of them a double holds as many as there are. */
function since(ms: number, more: number, { whole, rest }: Origin): number {
  return ms - whole + (more - rest)
}

/**
 * A user's time as milliseconds of this thread's clock. Numbers below `performance.timeOrigin` are readings of
 * `performance.now()`, larger ones are milliseconds since the epoch, as OpenTelemetry's API has it; what is no time at
 * all gives the present. Never throws.
 * @param origin That by which the time will be written.
 */
export function timeOf(input: TimeInput | undefined, origin: Origin = current): number {
  if (input === undefined) return now()
  let time = Number.NaN
  try {
    if (typeof input === 'number') time = input < timeOrigin ? input : since(input, 0, origin)
    else if (input instanceof Date) time = since(Date.prototype.getTime.call(input), 0, origin)
    else if (Array.isArray(input) && typeof input[0] === 'number' && typeof input[1] === 'number') {
      const [seconds, nanos] = input as HrTime
      time = since(seconds * 1000, nanos / 1e6, origin)
    }
  } catch {
    // A revoked proxy.
  }
  return Number.isFinite(time) ? time : now()
}
