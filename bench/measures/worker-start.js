// (c) What a Worker's start takes longer, and how much more memory a Worker takes.
import {
  alternate,
  autoInstrumented,
  BARE,
  difference,
  each,
  median,
  PRELOADED,
  Program,
  program,
  withReceiver,
} from '../harness.js'

export const name = 'worker-start'

const MILLISECONDS = 4
const MEBIBYTES = 1

export async function measure({ quick }) {
  return await withReceiver(async ({ endpointOf }) => {
    const options = {
      bare: BARE,
      threadspan: PRELOADED,
      'auto-instrumentations': autoInstrumented(),
    }
    const start = (node, variant) =>
      Program.start(program('workers.js'), { node, endpoint: endpointOf(variant), core: 0 })
    // Memory is taken in new processes: what a process has once used it seldom gives back.
    const memory = await alternate(
      each(options, async (node, variant) => {
        const running = await start(node, variant)
        const figure = await running.ask('memory', 8)
        await running.end()
        return figure
      }),
      quick ? 2 : 5,
    )
    const programs = {}
    for (const [variant, node] of Object.entries(options)) programs[variant] = await start(node, variant)
    const times = await alternate(
      each(programs, (running, variant) => running.ask('block', variant === 'auto-instrumentations' ? 1 : 5)),
      quick ? 4 : 15,
    )
    for (const running of Object.values(programs)) await running.end()
    const report = (title, unit, figures, text, limit) => ({
      title,
      unit,
      rows: Object.keys(options).map((variant) => ({
        variant,
        value: median(figures[variant]),
        'more than bare': difference(figures[variant], figures.bare),
      })),
      targets: [{ text, figure: difference(figures.threadspan, figures.bare), limit }],
    })
    return [
      report("Worker's first message, on one core", 'ms', times, `at most +${MILLISECONDS} ms`, MILLISECONDS),
      report("Worker's resident memory", 'MiB', memory, `at most +${MEBIBYTES} MiB`, MEBIBYTES),
    ]
  })
}
