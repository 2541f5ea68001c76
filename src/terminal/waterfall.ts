import { displayWidth, duration, fit, printable } from '../trace/text.js'
import {
  buildTrace,
  type Interval,
  type Lane,
  pickTrace,
  type TraceSpan,
  type WaterfallTrace,
} from '../trace/trace.js'
import { type Axis, bar, concurrency, ticks } from './waterfall-bars.js'
import { type WaterfallRow, waterfallRows } from './waterfall-rows.js'
import { byProcess, errorText, lengthOf, merge, plain, plural, text } from './waterfall-summary.js'

export { pickTrace, spansOf, type TraceSpan } from '../trace/trace.js'

/** How a waterfall is drawn. */
export interface WaterfallOptions {
  /** Columns; fewer than 40 are taken as 40. */
  readonly width: number
  /** Whether to colour, with the 256 colours that terminals have. */
  readonly color: boolean
  /** The trace to draw; without it the one that has most to show. */
  readonly traceId?: string
  /** Lines of the tree at most; 120 without it. */
  readonly rows?: number
}

const BOLD = '1'
const DIM = '2'
const RED = '38;5;167'
const GREEN = '38;5;35'
/** One for each thread, in turn: told apart on dark and on light ground, and none of them red. */
const LANE_COLORS = [33, 35, 172, 134, 37, 168, 100, 67].map((color) => `38;5;${color}`)

const DURATION = 9
const MOST_LANES = 24
const MOST_ERRORS = 5

class Drawing {
  readonly lines: string[] = []
  readonly #trace: WaterfallTrace
  readonly #color: boolean
  readonly #width: number
  readonly #rows: readonly WaterfallRow[]
  readonly #omitted: number
  readonly #axis: Axis
  readonly #nameWidth: number
  readonly #laneWidth: number
  readonly #marks: ReadonlySet<number>
  readonly #manyProcesses: boolean

  constructor(trace: WaterfallTrace, { width, color, rows: limit = 120 }: WaterfallOptions) {
    this.#trace = trace
    this.#color = color
    this.#width = Math.max(Math.floor(width) || 0, 40)
    this.#manyProcesses = new Set(trace.lanes.map(({ process }) => process)).size > 1
    const { rows, omitted } = waterfallRows(trace, limit)
    this.#rows = rows
    this.#omitted = omitted
    const longest = (widths: number[], least: number, most: number): number =>
      Math.max(
        least,
        Math.min(
          widths.reduce((a, b) => Math.max(a, b), 0),
          most,
        ),
      )
    this.#nameWidth = longest(
      [...rows.map((row) => displayWidth(row.branch) + displayWidth(this.#label(row).slice(0, 200))), 15],
      12,
      Math.floor(this.#width * 0.38),
    )
    this.#laneWidth =
      this.#width < 70
        ? 0
        : longest(
            trace.lanes.map((lane) => displayWidth(this.#laneLabel(lane).slice(0, 40))),
            4,
            18,
          )
    const lane = this.#laneWidth === 0 ? 0 : this.#laneWidth + 2
    const columns = Math.max(this.#width - this.#nameWidth - lane - DURATION - 5, 10)
    this.#axis = { columns, wall: trace.wall }
    this.#marks = new Set(this.#ticks().map(([column]) => column))
  }

  draw(): string {
    this.#header()
    this.#scale()
    for (const row of this.#rows) this.#row(row)
    if (this.#omitted > 0) this.#add(this.#paint(DIM, ` … and ${plural(this.#omitted, 'more span')}`))
    this.#threads()
    this.#errors()
    return `${this.lines.join('\n')}\n`
  }

  #paint(style: string, text: string): string {
    return this.#color && text.trim() !== '' ? `\x1b[${style}m${text}\x1b[0m` : text
  }

  #laneColor(lane: Lane): string {
    return LANE_COLORS[lane.index % LANE_COLORS.length]!
  }

  #add(line: string): void {
    this.lines.push(line.trimEnd())
  }

  #header(): void {
    const { root, nodes, lanes, wall, busy, traceId } = this.#trace
    const errors = nodes.filter(({ error }) => error).length
    const speedup = wall > 0 ? busy / wall : 0
    const processes = new Set(lanes.map(({ process }) => process)).size
    const room = this.#width - 2
    this.#add(` ${this.#paint(BOLD, fit(root.name, room).trimEnd())}`)
    const from = `${root.lane.process.label} · trace ${printable(traceId)}`
    this.#add(` ${this.#paint(DIM, fit(from, room).trimEnd())}`)
    const gain = `speed-up ${speedup.toFixed(1)}×`
    const parts = [
      `wall ${duration(wall)}`,
      `busy ${duration(busy)}`,
      wall === 0 ? '' : speedup >= 1.05 ? this.#paint(`${BOLD};${GREEN}`, gain) : gain,
      `${plural(nodes.length, 'span')} on ${plural(lanes.length, 'thread')} in ${plural(processes, 'process')}`,
    ]
    if (errors > 0) parts.push(this.#paint(RED, plural(errors, 'error')))
    let line = ''
    for (const part of parts) {
      if (part === '') continue
      if (line !== '' && displayWidth(plain(line)) + 3 + displayWidth(plain(part)) >= this.#width) {
        this.#add(line)
        line = ''
      }
      line += line === '' ? ` ${part}` : `   ${part}`
    }
    this.#add(line)
    this.#add('')
  }

  #ticks(): [column: number, label: string][] {
    const { columns, wall } = this.#axis
    return ticks(this.#axis, 11).map((time) => [
      Math.min(Math.floor((time / (wall || 1)) * columns + 1e-9), columns - 1),
      time === 0 ? '0' : duration(time),
    ])
  }

  #scale(): void {
    let line = ''
    for (const [column, label] of this.#ticks()) {
      const fits = column + label.length <= this.#axis.columns + DURATION
      if (fits && (line === '' || line.length < column)) line = line.padEnd(column) + label
    }
    this.#line('', '', this.#paint(DIM, line), '')
  }

  /** One line of the table; name and lane come painted and in their widths, or empty. */
  #line(name: string, lane: string, bars: string, right: string): void {
    const first = name === '' ? ' '.repeat(this.#nameWidth) : name
    const second = this.#laneWidth === 0 ? '' : `${lane === '' ? ' '.repeat(this.#laneWidth) : lane}  `
    this.#add(` ${first}  ${second}${bars} ${right}`)
  }

  #row(row: WaterfallRow): void {
    const right = (text: string): string => fit(text, DURATION, 'right')
    if (row.kind === 'fold') {
      const lengths = row.nodes.map(({ start, end }) => end - start).sort((a, b) => a - b)
      const median = lengths[lengths.length >> 1]!
      const bars = this.#grid(bar(this.#axis, row.nodes, []), DIM)
      const times = this.#paint(DIM, right(`~ ${duration(median)}`))
      this.#line(this.#paint(DIM, this.#name(row)), this.#laneCell(undefined), bars, times)
      return
    }
    const { node } = row
    const color = node.error ? RED : this.#laneColor(node.lane)
    const waits = node.wait > 0 ? [{ start: node.start - node.wait, end: node.start }] : []
    const bars = this.#grid(bar(this.#axis, [node], node.work, waits), color)
    this.#line(this.#nameCell(row), this.#laneCell(node.lane), bars, right(duration(node.end - node.start)))
  }

  #label(row: WaterfallRow): string {
    if (row.kind === 'fold') {
      const failed = row.nodes.filter(({ error }) => error).length
      return `… ${row.nodes.length} more like this${failed > 0 ? ` (${failed} ✗)` : ''}`
    }
    const { node } = row
    const closed = text(node.span.attributes['threadspan.closed'])
    const notes = [
      closed === '' ? '' : ` † ${closed}`,
      node.orphan ? ' (parent missing)' : '',
      node.cyclic ? ' (parents in a circle)' : '',
    ]
    return `${node.error ? '✗ ' : ''}${node.name}${notes.join('')}`
  }

  #branch(row: WaterfallRow): string {
    // Half of the column at most: of a deeper branch the end is shown.
    const most = this.#nameWidth >> 1
    return row.branch.length > most ? `⋯${row.branch.slice(1 - most)}` : row.branch
  }

  #name(row: WaterfallRow): string {
    return fit(this.#branch(row) + this.#label(row), this.#nameWidth)
  }

  #nameCell(row: WaterfallRow & { kind: 'span' }): string {
    const name = this.#name(row)
    const branch = this.#branch(row)
    const label = name.slice(branch.length)
    const style = row.node.error ? RED : row.branch === '' ? BOLD : ''
    return this.#paint(DIM, branch) + (style === '' ? label : this.#paint(style, label))
  }

  #laneLabel({ process, thread }: Lane): string {
    return this.#manyProcesses ? `${process.short} ${thread}` : thread
  }

  #laneCell(lane: Lane | undefined): string {
    if (lane === undefined || this.#laneWidth === 0) return ''
    return this.#paint(this.#laneColor(lane), fit(this.#laneLabel(lane), this.#laneWidth))
  }

  /** Bars in their colour, and in between the lines of the axis, faint. */
  #grid(bars: string, color: string): string {
    if (!this.#color) return bars
    let line = ''
    for (const [run] of bars.matchAll(/ +|┈+|[^ ┈]+/g)) {
      if (run[0] === ' ') line += this.#gap(run.length, displayWidth(plain(line)))
      else line += this.#paint(color, run)
    }
    return line
  }

  #gap(length: number, from: number): string {
    let gap = ''
    for (let i = 0; i < length; i++) gap += this.#marks.has(from + i) ? this.#paint(DIM, '┊') : ' '
    return gap
  }

  /** What each thread did, and how many of them at once. */
  #threads(): void {
    const { lanes, nodes, wall } = this.#trace
    const pieces = lanes.map((): Interval[] => [])
    for (const node of nodes) for (const piece of node.work) pieces[node.lane.index]!.push(piece)
    const work = pieces.map(merge)
    this.#add('')
    let last: Lane['process'] | undefined
    const listed = byProcess(lanes)
    for (const lane of listed.slice(0, MOST_LANES)) {
      const own = work[lane.index]!
      const share = wall > 0 ? `${Math.round((lengthOf(own) / wall) * 100)} %` : ''
      const label = lane.process === last ? '' : lane.process.label
      const name = this.#laneWidth === 0 ? `${lane.process.short} ${lane.thread}` : label
      const cell = this.#laneWidth === 0 ? '' : fit(lane.thread, this.#laneWidth)
      const color = this.#laneColor(lane)
      this.#line(
        fit(name, this.#nameWidth),
        this.#paint(color, cell),
        this.#grid(bar(this.#axis, [], own), color),
        fit(share, DURATION, 'right'),
      )
      last = lane.process
    }
    if (lanes.length > MOST_LANES) {
      this.#add(this.#paint(DIM, ` … and ${plural(lanes.length - MOST_LANES, 'more thread')}`))
    }
    const { text: heights, most } = concurrency(this.#axis, work.flat())
    const right = most === 0 ? '' : `${most} max`
    this.#line(
      fit('threads at work', this.#nameWidth),
      '',
      this.#grid(heights, DIM),
      fit(right, DURATION, 'right'),
    )
    this.#add('')
    const legend = ['━ at work']
    if (nodes.some(({ children }) => children.length > 0)) legend.push('─ waiting')
    if (nodes.some(({ wait }) => wait > 0)) legend.push('┈ in a queue')
    this.#add(this.#paint(DIM, ` ${legend.join('   ')}`))
  }

  #errors(): void {
    const failed = this.#trace.nodes.filter(({ error }) => error)
    // An error passes up through the spans above it; it is told once, where it came from.
    const told = failed.filter(({ children }) => !children.some(({ error }) => error))
    if (told.length === 0) return
    this.#add('')
    for (const node of told.slice(0, MOST_ERRORS)) {
      const line = `✗ ${node.name} (${this.#laneLabel(node.lane)}): ${errorText(node)}`
      this.#add(` ${this.#paint(RED, fit(line, this.#width - 2).trimEnd())}`)
    }
    if (told.length > MOST_ERRORS) {
      this.#add(this.#paint(DIM, ` … and ${plural(told.length - MOST_ERRORS, 'more error')}`))
    }
  }
}

/**
 * One trace as a waterfall for terminals: the tree of its spans with bars on one time axis, then what each thread did,
 * then its errors. Pure; whatever the spans hold, no control character gets out. Empty when there are no spans.
 */
export function renderWaterfall(spans: readonly TraceSpan[], options: WaterfallOptions): string {
  const traceId = options.traceId ?? pickTrace(spans)
  const trace = traceId === undefined ? undefined : buildTrace(spans, traceId)
  return trace === undefined ? '' : new Drawing(trace, options).draw()
}
