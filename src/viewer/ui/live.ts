import { signal } from '@preact/signals'
import type { Status, TraceSummary } from '../api.js'

/** The tail keeps this many traces; older ones are in the lists. */
const MOST_TRACES = 300
/** Lists ask again at most this often, milliseconds. */
const REFRESH = 2000
/** What arrives is shown in batches this far apart, milliseconds, so that a burst is one change of the page. */
const SETTLE = 250

export const status = signal<Status | null>(null)
/** Traces as they arrive, newest first; a trace that grows moves to the front. */
export const tail = signal<readonly TraceSummary[]>([])
export const connected = signal(false)
/** While paused, nothing on the page changes by itself; what arrives meanwhile is counted. */
export const paused = signal(false)
export const missed = signal(0)
/** Goes up when the lists should ask again. */
export const revision = signal(0)

let held: TraceSummary[] = []
let show: ReturnType<typeof setTimeout> | undefined
let ask: ReturnType<typeof setTimeout> | undefined
let asked = 0

/** Follows the viewer's event stream; the browser reconnects by itself. */
export function followLive(): void {
  const source = new EventSource('/api/live')
  source.addEventListener('open', () => {
    connected.value = true
  })
  source.addEventListener('error', () => {
    connected.value = false
  })
  source.addEventListener('trace', (event) => {
    const summary = parse<TraceSummary>(event.data)
    if (summary === null) return
    held.push(summary)
    if (paused.peek()) {
      if (held.length > MOST_TRACES) held.shift()
      missed.value++
    } else schedule()
  })
  source.addEventListener('status', (event) => {
    const next = parse<Status>(event.data)
    if (next === null) return
    const before = status.peek()
    status.value = next
    if (before !== null && before.spans !== next.spans && !paused.peek()) schedule()
  })
  addEventListener('beforeunload', () => source.close())
}

/** Stops or resumes what changes by itself. */
export function setPaused(value: boolean): void {
  paused.value = value
  if (!value) {
    missed.value = 0
    schedule(0)
  }
}

function schedule(delay = tail.peek().length === 0 ? 0 : SETTLE): void {
  if (show !== undefined) return
  show = setTimeout(() => {
    show = undefined
    if (paused.peek()) return
    if (held.length > 0) tail.value = merge(held, tail.peek())
    held = []
    askAgain()
  }, delay)
}

function askAgain(): void {
  const wait = asked + REFRESH - Date.now()
  if (wait <= 0) {
    asked = Date.now()
    revision.value++
    return
  }
  if (ask !== undefined) return
  ask = setTimeout(() => {
    ask = undefined
    if (!paused.peek()) askAgain()
  }, wait)
}

function merge(arrived: readonly TraceSummary[], before: readonly TraceSummary[]): TraceSummary[] {
  const byId = new Map<string, TraceSummary>()
  for (let i = arrived.length - 1; i >= 0; i--) {
    const summary = arrived[i]!
    if (!byId.has(summary.traceId)) byId.set(summary.traceId, summary)
  }
  for (const summary of before) if (!byId.has(summary.traceId)) byId.set(summary.traceId, summary)
  return [...byId.values()].slice(0, MOST_TRACES)
}

function parse<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
