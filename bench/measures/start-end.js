// (g) What a program takes longer from start to end: a small script of its own, and a short-lived child of a traced program.
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
  return await withReceiver(async ({ endpointOf, arrived }) => {
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
      each(options, (node, variant) =>
        runOnce(program('script.js'), { node, endpoint: endpointOf(variant), args: [String(SCRIPT_SPANS)] }),
      ),
      rounds,
    )

    const programs = {}
    for (const [variant, node] of Object.entries(options))
      programs[variant] = await Program.start(program('parent.js'), {
        node,
        endpoint: endpointOf(`parent, ${variant}`),
      })
    const children = await alternate(
      // The preload follows children by itself; an agent has to be named again.
      each(programs, (running, variant) =>
        running.ask('block', variant === 'threadspan' ? BARE : options[variant]),
      ),
      rounds,
    )
    for (const running of Object.values(programs)) await running.end()
    const spans = await arrived()
    return [
      report(
        `Script with ${SCRIPT_SPANS} spans, start to end`,
        scripts,
        (variant) => spans[variant] / SCRIPT_SPANS,
        SCRIPT_MILLISECONDS,
      ),
      report(
        `Child process with ${CHILD_SPANS} spans, start to end`,
        children,
        // Beside the child's, threadspan makes the span of its life in the parent, and each parent's own is one more.
        (variant) => spans[`parent, ${variant}`] / (CHILD_SPANS + (variant === 'threadspan' ? 2 : 1)),
        CHILD_MILLISECONDS,
      ),
    ]
  })
}
