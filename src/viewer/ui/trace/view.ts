import { computed, signal } from '@preact/signals'
import { activity } from '../../model/activity.js'
import { type ColourBy, hues, serviceHues, servicesOf, threadHues } from '../../model/colour.js'
import { concurrency } from '../../model/concurrency.js'
import { criticalPath, mainRoot } from '../../model/critical-path.js'
import { DEEP_LANE, DEEP_QUEUE, layOutLanes, queueKey } from '../../model/lane-layout.js'
import { packLanes } from '../../model/lanes.js'
import { parallelism } from '../../model/parallelism.js'
import { packQueues } from '../../model/queues.js'
import { selfTimes } from '../../model/self-time.js'
import { siblings } from '../../model/siblings.js'
import { ERROR, type Trace } from '../../model/trace.js'
import { visibleRows } from '../../model/tree.js'
import { around, clampWindow, type Window } from '../../model/window.js'

export const MODES = ['waterfall', 'lanes', 'statistics', 'flame', 'logs'] as const
export type Mode = (typeof MODES)[number]
export const ROW = 22

/** What the reader sees of one trace, and all that is derived from it; every part is worked out when first looked at. */
export class TraceView {
  readonly trace: Trace
  readonly bounds: Window
  readonly mode = signal<Mode>('waterfall')
  readonly window
  /** The span under the cursor of the keyboard; -1: none. */
  readonly selected = signal(-1)
  readonly hovered = signal(-1)
  readonly details = signal(false)
  /** The instant that moving across lanes keeps to, while it led to the span under the cursor. */
  column = { span: -1, time: 0 }
  readonly folded
  readonly foldedThreads = signal<ReadonlySet<number>>(new Set())
  readonly query = signal('')
  /** By service where there are several, unless the reader says otherwise. */
  readonly colourBy
  readonly services: readonly string[]
  readonly critical = signal(true)

  constructor(trace: Trace) {
    this.trace = trace
    // Room on the right for the text behind the last bars; a trace of no length still has a window.
    const whole = trace.to - trace.from
    this.bounds = { from: trace.from, to: trace.to + (whole > 0 ? whole * 0.02 : 1) }
    this.window = signal(this.bounds)
    this.services = servicesOf(trace)
    this.colourBy = signal<ColourBy>(this.usual)
    this.folded = signal(new Uint8Array(trace.size))
  }

  /** What colours tell unless they are asked to tell something else. */
  get usual(): ColourBy {
    return this.services.length > 1 ? 'service' : 'thread'
  }

  readonly siblings = computed(() => siblings(this.trace))
  /** First spans of the runs of siblings that were opened. */
  readonly opened = signal<ReadonlySet<number>>(new Set())
  readonly rows = computed(() => {
    const { leader, runs } = this.siblings.value
    if (runs.size === 0) return visibleRows(this.trace.tree, this.folded.value)
    const opened = this.opened.value
    return visibleRows(this.trace.tree, this.folded.value, (span) => {
      const first = leader[span]!
      return first >= 0 && first !== span && !opened.has(first)
    })
  })
  /** Row of each span in the waterfall, or -1 while an ancestor is folded. */
  readonly rowOf = computed(() => {
    const out = new Int32Array(this.trace.size).fill(-1)
    const rows = this.rows.value
    for (let row = 0; row < rows.length; row++) out[rows[row]!] = row
    return out
  })
  readonly lanes = computed(() => packLanes(this.trace))
  readonly queues = computed(() => packQueues(this.trace))
  readonly layout = computed(() =>
    layOutLanes(this.trace, this.lanes.value, this.queues.value, this.foldedThreads.value),
  )

  readonly hues = computed(() => hues(this.trace, this.colourBy.value))
  readonly threadHues = computed(() =>
    this.colourBy.value === 'service' ? serviceHues(this.trace) : threadHues(this.trace),
  )
  readonly serviceHues = computed(() => serviceHues(this.trace))
  readonly self = computed(() => selfTimes(this.trace))
  readonly pieces = computed(() => activity(this.trace))
  readonly steps = computed(() => concurrency(this.pieces.value))
  readonly sum = computed(() => parallelism(this.trace, this.pieces.value))
  readonly root = computed(() => mainRoot(this.trace))
  readonly path = computed(() => criticalPath(this.trace, this.root.value))
  /** Pieces of the critical path by span: `index[first[span]]` up to `index[first[span + 1] - 1]`. */
  readonly pathOf = computed(() => {
    const { count, span } = this.path.value
    const first = new Int32Array(this.trace.size + 1)
    for (let i = 0; i < count; i++) first[span[i]! + 1]!++
    for (let i = 0; i < this.trace.size; i++) first[i + 1]! += first[i]!
    const index = new Int32Array(count)
    const next = first.slice()
    for (let i = 0; i < count; i++) index[next[span[i]!]!++] = i
    return { first, index }
  })
  /** Spans that the query finds; `followQuery` keeps it. */
  readonly matches = signal(new Int32Array(0))
  /** Whether the matches are those of an earlier query. */
  readonly isFinding = signal(false)
  /** What of the query is not understood; empty where all is. */
  readonly problem = signal('')
  /** 1 for a span that matches; null without a search. */
  readonly matched = computed(() => {
    if (this.query.value.trim() === '' || this.problem.value !== '') return null
    const mask = new Uint8Array(this.trace.size)
    for (const span of this.matches.value) mask[span] = 1
    return mask
  })
  /** Spans that ran in another thread than their parent: what the arrows join. */
  readonly crossings = computed(() => {
    const { tree, thread, size } = this.trace
    const out: number[] = []
    for (let i = 0; i < size; i++) {
      const above = tree.up[i]!
      if (above >= 0 && thread[above] !== thread[i]) out.push(i)
    }
    return Int32Array.from(out)
  })

  /** Folds or unfolds a span; without `fold`, the other way round. */
  fold(span: number, fold?: boolean): void {
    const { tree } = this.trace
    if (tree.below[span] === 0) return
    const next = this.folded.peek().slice()
    next[span] = (fold ?? next[span] === 0) ? 1 : 0
    this.folded.value = next
  }

  foldAll(fold: boolean): void {
    const { tree, size } = this.trace
    this.folded.value = Uint8Array.from({ length: size }, (_, i) =>
      fold && tree.below[i]! > 0 && tree.up[i]! >= 0 ? 1 : 0,
    )
    this.opened.value = new Set(fold ? [] : this.siblings.peek().runs.keys())
    // What is deep is folded until it is named here, what is not is open until then.
    this.foldedThreads.value = new Set([
      ...this.lanes.peek().lanes.flatMap(({ thread, rows }) => (rows > DEEP_LANE === fold ? [] : [thread])),
      ...this.queues
        .peek()
        .queues.flatMap(({ process, rows }) => (rows > DEEP_QUEUE === fold ? [] : [queueKey(process)])),
    ])
  }

  /** Shows the spans of a run of siblings, or lays them together again. */
  openRun(first: number, open: boolean): void {
    const next = new Set(this.opened.peek())
    if (open) next.add(first)
    else next.delete(first)
    this.opened.value = next
  }

  /** Folds or unfolds the lane of a thread, or a queue by its `queueKey`. */
  foldThread(thread: number): void {
    const next = new Set(this.foldedThreads.peek())
    if (!next.delete(thread)) next.add(thread)
    this.foldedThreads.value = next
  }

  /** Puts the cursor on a span, unfolding what hides it, and brings it into the window if it is outside. */
  select(span: number, open = this.details.peek()): void {
    this.selected.value = span
    this.details.value = open && span >= 0
    if (span < 0) return
    const { tree, start, end, thread } = this.trace
    let hidden = false
    const next = this.folded.peek().slice()
    for (let at = tree.up[span]!; at >= 0; at = tree.up[at]!) {
      hidden ||= next[at] === 1
      next[at] = 0
    }
    if (hidden) this.folded.value = next
    const first = this.siblings.peek().leader[span]!
    if (first >= 0 && first !== span && !this.opened.peek().has(first)) this.openRun(first, true)
    // A deep lane shows where the span is in its strip; opened, it would push the others out of view.
    const lane = this.lanes.peek().lanes[this.lanes.peek().ofThread[thread[span]!]!]!
    if (
      this.mode.peek() === 'lanes' &&
      lane.rows <= DEEP_LANE &&
      this.foldedThreads.peek().has(thread[span]!)
    )
      this.foldThread(thread[span]!)
    const { from, to } = this.window.peek()
    if (end[span]! < from || start[span]! > to) {
      const half = (to - from) / 2
      const middle = (start[span]! + Math.min(end[span]!, start[span]! + half)) / 2
      this.window.value = clampWindow({ from: middle - half, to: middle + half }, this.bounds)
    }
  }

  /** Shows a span's own time, queue wait included, as wide as the view. */
  zoomTo(span: number): void {
    if (span < 0) return
    const { start, end, wait } = this.trace
    this.window.value = around(start[span]! - wait[span]!, end[span]!, this.bounds)
  }

  /** Moves the cursor among the matches of the search. */
  nextMatch(step: 1 | -1): void {
    this.#next([...this.matches.peek()], step)
  }

  /** Moves the cursor among the failed spans. */
  nextError(step: 1 | -1): void {
    const { flags, size } = this.trace
    const failed: number[] = []
    for (let i = 0; i < size; i++) if ((flags[i]! & ERROR) !== 0) failed.push(i)
    this.#next(failed, step)
  }

  /** Matches are gone through as they stand on the page: in preorder. */
  #next(spans: number[], step: 1 | -1): void {
    if (spans.length === 0) return
    const { position } = this.trace.tree
    spans.sort((a, b) => position[a]! - position[b]!)
    const here = this.selected.peek() < 0 ? -1 : position[this.selected.peek()]!
    const after = spans.findIndex((span) => position[span]! > here)
    const before = spans.findLastIndex((span) => position[span]! < here)
    const at = step === 1 ? Math.max(0, after) : before < 0 ? spans.length - 1 : before
    this.select(spans[at]!)
    // From the search the reader goes on with Enter; from anywhere else, on the board.
    if (document.activeElement?.matches('input') !== true)
      document.querySelector<HTMLElement>('.board-scroll')?.focus({ preventScroll: true })
  }
}
