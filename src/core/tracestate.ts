import type { TraceState } from '@opentelemetry/api'
import { count } from './counters.js'

/** List members that W3C Trace Context allows in one `tracestate`. */
const MAX_MEMBERS = 32

/** Members longer than this are the first to go when a `tracestate` is too long for its way. */
const LONG_MEMBER = 128

const KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/** OpenTelemetry's `TraceState`, immutable, by the grammar of W3C Trace Context Level 2. */
class MemberTraceState implements TraceState {
  readonly #members: ReadonlyMap<string, string>
  #text: string | undefined

  constructor(members: ReadonlyMap<string, string>) {
    this.#members = members
  }

  /** A new one with this member in front, without the right-most one where there would be more than 32. An illegal key or value is ignored and counted. */
  set(key: string, value: string): TraceState {
    if (!(typeof key === 'string' && typeof value === 'string' && KEY.test(key) && VALUE.test(value))) {
      count('tracestate.set')
      return this
    }
    const members = new Map([[key, value]])
    for (const [otherKey, otherValue] of this.#members) {
      if (members.size === MAX_MEMBERS) break
      if (otherKey !== key) members.set(otherKey, otherValue)
    }
    return new MemberTraceState(members)
  }

  /** A new one without this member. */
  unset(key: string): TraceState {
    if (!this.#members.has(key)) return this
    const members = new Map(this.#members)
    members.delete(key)
    return new MemberTraceState(members)
  }

  get(key: string): string | undefined {
    return this.#members.get(key)
  }

  /** The whole list, `key=value` joined by commas; {@link truncateTracestate} makes it fit a header. */
  serialize(): string {
    if (this.#text === undefined) {
      let text = ''
      for (const [key, value] of this.#members) text += text === '' ? `${key}=${value}` : `,${key}=${value}`
      this.#text = text
    }
    return this.#text
  }
}

/**
 * A trace state of whatever kind as one of ours, which can be written without harm; undefined where it is none, or has no legal
 * member. What is no trace state (JSON leaves an empty object of one) is counted as `tracestate.foreign`.
 */
export function ownTracestate(state: unknown): TraceState | undefined {
  if (state === undefined || state === null || state instanceof MemberTraceState) return state ?? undefined
  try {
    const text: unknown = (state as TraceState).serialize()
    if (typeof text === 'string') return parseTracestate(text)
  } catch {
    // Counted as what it is: none.
  }
  count('tracestate.foreign')
  return undefined
}

/** A `TraceState` without members, to set some. */
export const EMPTY_TRACESTATE: TraceState = new MemberTraceState(new Map())

/**
 * Reads a `tracestate` header value, or the values of several such headers combined (W3C Trace Context Level 2, "Tracestate Header").
 *
 * Of members with the same key the first, which is the newest, counts. One illegal member, or a 33rd, makes the whole list worthless, as
 * Level 2 has it; that is counted.
 *
 * @returns undefined where there is no member, or an illegal one.
 */
export function parseTracestate(header: string): TraceState | undefined {
  const members = new Map<string, string>()
  let found = 0
  for (let start = 0; start <= header.length; ) {
    let end = header.indexOf(',', start)
    if (end === -1) end = header.length
    const member = withoutBlanks(header, start, end)
    start = end + 1
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(equals, 0))
    const value = member.slice(equals + 1)
    if (++found > MAX_MEMBERS || !KEY.test(key) || !VALUE.test(value)) {
      count('tracestate.header')
      return undefined
    }
    if (!members.has(key)) members.set(key, value)
  }
  return members.size === 0 ? undefined : new MemberTraceState(members)
}

/**
 * A `tracestate` that takes no more than `limit` characters: whole members are left out, first those longer than 128 characters, then
 * from the end (W3C Trace Context Level 2, "tracestate Limits").
 *
 * @param limit the specification wants at least 512 to be carried on.
 */
export function truncateTracestate(text: string, limit = 512): string {
  if (text.length <= limit) return text
  const members = text.split(',')
  let length = text.length
  for (let i = members.length - 1; i >= 0 && length > limit; i--) {
    if (members[i]!.length <= LONG_MEMBER) continue
    length -= members[i]!.length + 1
    members.splice(i, 1)
  }
  while (length > limit) length -= members.pop()!.length + 1
  count('tracestate.truncated')
  return members.join(',')
}

/** The part from `start` to `end` without the spaces and tabs around it. */
function withoutBlanks(text: string, start: number, end: number): string {
  let from = start
  let to = end
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
