import fc from 'fast-check'
import * as activityModule from '#dist/viewer/model/activity.js'
import * as colourModule from '#dist/viewer/model/colour.js'
import * as compareModule from '#dist/viewer/model/compare.js'
import * as concurrencyModule from '#dist/viewer/model/concurrency.js'
import * as criticalPathModule from '#dist/viewer/model/critical-path.js'
import * as flameModule from '#dist/viewer/model/flame.js'
import * as formatModule from '#dist/viewer/model/format.js'
import * as gapsModule from '#dist/viewer/model/gaps.js'
import * as laneLayoutModule from '#dist/viewer/model/lane-layout.js'
import * as lanesModule from '#dist/viewer/model/lanes.js'
import * as parallelismModule from '#dist/viewer/model/parallelism.js'
import * as queuesModule from '#dist/viewer/model/queues.js'
import * as selfTimeModule from '#dist/viewer/model/self-time.js'
import * as siblingsModule from '#dist/viewer/model/siblings.js'
import * as sqlModule from '#dist/viewer/model/sql.js'
import * as statisticsModule from '#dist/viewer/model/statistics.js'
import * as traceModule from '#dist/viewer/model/trace.js'
import * as treeModule from '#dist/viewer/model/tree.js'
import * as windowModule from '#dist/viewer/model/window.js'
import * as queryModule from '#dist/viewer/query.js'
import type { TraceColumns } from '../../src/viewer/api.js'

/** The model as the package builds it. */
export const model = {
  ...traceModule,
  ...treeModule,
  ...lanesModule,
  ...queuesModule,
  ...laneLayoutModule,
  ...selfTimeModule,
  ...activityModule,
  ...concurrencyModule,
  ...criticalPathModule,
  ...parallelismModule,
  ...queryModule,
  ...compareModule,
  ...formatModule,
  ...gapsModule,
  ...flameModule,
  ...siblingsModule,
  ...statisticsModule,
  ...sqlModule,
  ...colourModule,
  ...windowModule,
}

/** A span as tests write it down. Times in milliseconds; `parent` is a position in the list, -1 or -2. */
export interface Row {
  name?: string
  parent?: number
  start: number
  end: number
  thread?: number
  flags?: number
  wait?: number
}

/** Columns from rows, in the order given. */
export function columns(rows: readonly Row[], threads = 3): TraceColumns {
  const strings = [...new Set(rows.map(({ name = 'work' }) => name))]
  return {
    traceId: '0123456789abcdef0123456789abcdef',
    origin: 1_700_000_000_000,
    strings,
    processes: [{ label: 'app 1', service: 'app', pid: 1, resource: {} }],
    threads: Array.from({ length: threads }, (_, id) => ({
      label: id === 0 ? 'main' : `worker ${id}`,
      process: 0,
      id,
    })),
    id: rows.map((_, i) => i.toString(16).padStart(16, '0')),
    parent: rows.map(({ parent = -1 }) => parent),
    name: rows.map(({ name = 'work' }) => strings.indexOf(name)),
    kind: rows.map(() => 1),
    start: rows.map(({ start }) => start),
    end: rows.map(({ end }) => end),
    thread: rows.map(({ thread = 0 }) => thread),
    flags: rows.map(({ flags = 0 }) => flags),
    label: rows.map(() => -1),
    wait: rows.map(({ wait = 0 }) => wait),
    links: [],
    truncated: 0,
  }
}

/** A trace from rows. */
export const trace = (rows: readonly Row[]) => model.readTrace(columns(rows))

/**
 * Traces of every shape: cycles, orphans, parents that end before or start after their children, spans of no length or
 * of a negative one, unsorted. Times are whole, so that sums are exact.
 */
export const anyRows: fc.Arbitrary<Row[]> = fc.integer({ min: 0, max: 40 }).chain((size) =>
  fc.array(
    fc.record({
      name: fc.constantFrom('GET /', 'query', 'resize', 'encode'),
      parent: fc.integer({ min: -2, max: Math.max(-1, size - 1) }),
      start: fc.integer({ min: 0, max: 60 }),
      end: fc.integer({ min: 0, max: 80 }),
      thread: fc.integer({ min: 0, max: 2 }),
      flags: fc.constantFrom(0, 0, 1, 4),
      wait: fc.constantFrom(0, 0, 3, 10),
    }),
    { minLength: size, maxLength: size },
  ),
)

/** Traces in which everything is in order: children lie within their parents, every parent came before. */
export const tidyRows: fc.Arbitrary<Row[]> = fc
  .array(
    fc.record({
      pick: fc.nat(),
      a: fc.integer({ min: 0, max: 1000 }),
      b: fc.integer({ min: 0, max: 1000 }),
      thread: fc.integer({ min: 0, max: 2 }),
    }),
    { maxLength: 40 },
  )
  .map((picks) => {
    const rows: Row[] = [{ name: 'root', start: 0, end: 1000 }]
    for (const { pick, a, b, thread } of picks) {
      const parent = pick % rows.length
      const { start, end } = rows[parent]!
      const within = (share: number) => start + Math.floor(((end - start) * share) / 1000)
      rows.push({ parent, start: within(Math.min(a, b)), end: within(Math.max(a, b)), thread })
    }
    return rows
  })
