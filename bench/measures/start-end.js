// (g) What a program takes longer from start to end: a small script of its own, and a short-lived child of a traced program.
import {
  alternate,
  autoInstrumented,
  BARE,
  difference,
  median,
  PRELOADED,
  Program,
  program,
  runOnce,
  withReceiver,
} from '../harness.js'

export const name = 'start-end'

const SCRIPT_SPANS = 10
const CHILD_SPANS = 3
const SCRIPT_MILLISECONDS = 25
const CHILD_MILLISECONDS = 15

export async function measure({ quick }) {
  const rounds = quick ? 5 : 21
  const options = { bare: BARE, threadspan: PRELOADED, 'auto-instrumentations': autoInstrumented() }
  return await withReceiver(async ({ endpoint, taken }) => {
    const arrived = {}
    const counted = (variant, block) => async () => {
      const time = await block()
      arrived[variant] = (arrived[variant] ?? 0) + (await taken())
      return time
    }
    const report = (title, figures, spans, limit) => ({
      title,
      unit: 'ms',
      rows: Object.keys(options).map((variant) => ({
        variant,
        value: median(figures[variant]),
        'more than bare': difference(figures[variant], figures.bare),
        delivered: variant === 'bare' ? undefined : spans(variant) / (rounds + 1),
      })),
      targets: [
        { text: `at most +${limit} ms`, figure: difference(figures.threadspan, figures.bare), limit },
      ],
    })

    const scripts = await alternate(
      Object.fromEntries(
        Object.entries(options).map(([variant, node]) => [
          variant,
          counted(variant, () =>
            runOnce(program('script.js'), { node, endpoint, args: [String(SCRIPT_SPANS)] }),
          ),
        ]),
      ),
      rounds,
    )
    const scriptSpans = { ...arrived }

    const programs = {}
    for (const [variant, node] of Object.entries(options))
      programs[variant] = await Program.start(program('parent.js'), { node, endpoint })
    for (const variant of Object.keys(options)) arrived[variant] = 0
    const children = await alternate(
      Object.fromEntries(
        Object.entries(programs).map(([variant, running]) => [
          variant,
          // The preload follows children by itself; an agent has to be named again.
          counted(variant, () => running.ask('block', variant === 'threadspan' ? BARE : options[variant])),
        ]),
      ),
      rounds,
    )
    for (const [variant, running] of Object.entries(programs)) {
      await running.end()
      arrived[variant] += await taken()
    }
    return [
      report(
        `Script with ${SCRIPT_SPANS} spans, start to end`,
        scripts,
        (variant) => scriptSpans[variant] / SCRIPT_SPANS,
        SCRIPT_MILLISECONDS,
      ),
      report(
        `Child process with ${CHILD_SPANS} spans, start to end`,
        children,
        // Beside the child's, threadspan makes the span of its life in the parent, and each parent's own is one more.
        (variant) => arrived[variant] / (CHILD_SPANS + (variant === 'threadspan' ? 2 : 1)),
        CHILD_MILLISECONDS,
      ),
    ]
  })
}
