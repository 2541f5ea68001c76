/**
 * One clock for a process and its descendants: a wall-clock anchor over the machine's monotonic clock. Every thread
 * derives its times from the anchor it was handed, so a span in a worker or child never seems to start before the span
 * that caused it, and a wall clock that is stepped while spans run tears nothing apart.
 */
import type { HrTime, TimeInput } from '@opentelemetry/api'

const TWO_32 = 4294967296

/** Nanoseconds by which the wall clock is ahead of `process.hrtime.bigint()`. */
let anchor: bigint | undefined
/** Wall-clock nanoseconds at `performance.now() === 0` in this thread, in two 32-bit halves for the encoder. */
let originHigh = 0
let originLow = 0
/** The same in milliseconds, for arithmetic with epoch times. */
let originMs = 0

/** How far an inherited anchor may lie from this machine's wall clock before it is taken for a stranger's, in nanoseconds. */
const PLAUSIBLE = 2_000_000_000n

/** Where `performance.now()` is zero on the monotonic clock: the tightest of a few bracketed readings. */
function monotonicOrigin(): bigint {
  let best = 0n
  let width = -1n
  for (let i = 0; i < 5; i++) {
    const before = process.hrtime.bigint()
    const now = performance.now()
    const after = process.hrtime.bigint()
    if (width < 0n || after - before < width) {
      width = after - before
      best = (before + after) / 2n - BigInt(Math.round(now * 1e6))
    }
  }
  return best
}

/**
 * Sets this thread's clock.
 * @param inherited The anchor of the parent thread or process, in nanoseconds; one that is further than two seconds from
 * this machine's wall clock (another host, a suspended laptop) is ignored.
 * @returns The anchor in use, to be handed on.
 */
export function startClock(inherited?: bigint): bigint {
  const monotonic = monotonicOrigin()
  const own = BigInt(Math.round(performance.timeOrigin * 1e3)) * 1000n - monotonic
  const distance = inherited === undefined ? PLAUSIBLE : inherited > own ? inherited - own : own - inherited
  anchor = inherited !== undefined && distance < PLAUSIBLE ? inherited : own
  const origin = anchor + monotonic
  originHigh = Number(origin >> 32n)
  originLow = Number(origin & 0xffffffffn)
  originMs = Number(origin / 1000n) / 1000
  return anchor
}

/** The anchor of this thread's clock, in nanoseconds; the clock is started if it was not. */
export function clockAnchor(): bigint {
  return anchor ?? startClock()
}

/** Now, in milliseconds since this thread's `performance.timeOrigin`, with nanosecond resolution. */
export const now: () => number = () => performance.now()

/**
 * Writes a time of this thread as OTLP `fixed64` nanoseconds since the epoch.
 * @param words Little-endian 32-bit view; the time takes `at` and `at + 1`.
 * @param time Milliseconds as `now()` gives them.
 */
export function writeUnixNano(words: Int32Array, at: number, time: number): void {
  const nanos = Math.round(time * 1e6)
  const high = Math.floor(nanos / TWO_32)
  const low = nanos - high * TWO_32 + originLow
  if (low >= TWO_32) {
    words[at] = (low - TWO_32) | 0
    words[at + 1] = (originHigh + high + 1) | 0
  } else {
    words[at] = low | 0
    words[at + 1] = (originHigh + high) | 0
  }
}

/** A time of this thread in whole nanoseconds since the epoch. */
export function unixNano(time: number): bigint {
  return (BigInt(originHigh) << 32n) + BigInt(originLow) + BigInt(Math.round(time * 1e6))
}

/** Milliseconds since the Unix epoch for a time of this thread. */
export function epochMs(time: number): number {
  return originMs + time
}

/**
 * A user's time as milliseconds of this thread's clock. Numbers below `performance.timeOrigin` are readings of
 * `performance.now()`, larger ones are milliseconds since the epoch, as OpenTelemetry's API has it; what is no time at
 * all gives the present.
 */
export function timeOf(input: TimeInput | undefined): number {
  if (input === undefined) return now()
  if (typeof input === 'number') {
    if (!Number.isFinite(input)) return now()
    return input < performance.timeOrigin ? input : input - originMs
  }
  if (input instanceof Date) {
    const ms = input.getTime()
    return Number.isNaN(ms) ? now() : ms - originMs
  }
  if (Array.isArray(input) && typeof input[0] === 'number' && typeof input[1] === 'number') {
    const [seconds, nanos] = input as HrTime
    return seconds * 1000 - originMs + nanos / 1e6
  }
  return now()
}
