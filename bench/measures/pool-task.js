// (a) What a task of a pool costs when it makes two spans: one on either side of the thread boundary.
import { alternate, each, median, PRELOADED, Program, program, ratio, withReceiver } from '../harness.js'

export const name = 'pool-task'

const LIMIT = 1.15

export async function measure({ quick }) {
  const rounds = quick ? 5 : 21
  const count = quick ? 5000 : 20_000
  const core = 0
  return await withReceiver(async ({ endpointOf, arrived }) => {
    const variants = {
      bare: { file: 'pool-task.js', kind: 'none' },
      threadspan: { file: 'pool-task.js', kind: 'threadspan', node: PRELOADED },
      'by hand': { file: 'pool-task-by-hand.js', kind: 'sdk' },
      // A worker that waits as Piscina's do by default never exports; this one does not, and gets its spans out.
      'by hand, atomics: disabled': {
        file: 'pool-task-by-hand.js',
        kind: 'sdk',
        env: { BENCH_ATOMICS: 'disabled' },
      },
    }
    const programs = {}
    for (const [variant, { file, kind, node, env }] of Object.entries(variants)) {
      const options = { node, core, endpoint: endpointOf(variant), args: [kind], env }
      programs[variant] = await Program.start(program(file), options)
    }
    const figures = await alternate(
      each(programs, (running) => running.ask('block', count)),
      rounds,
    )
    for (const running of Object.values(programs)) await running.end()
    const spans = await arrived()
    const made = (rounds + 1) * (2 * count + 1)
    const walls = (variant) => figures[variant].map(({ wall }) => wall)
    const costs = (variant) => figures[variant].map(({ cpu }) => cpu)
    return {
      title: 'No-op Piscina task with two spans, on one core',
      unit: 'us',
      rows: Object.keys(programs).map((variant) => ({
        variant,
        value: median(walls(variant)),
        ratio: ratio(walls(variant), walls('bare')),
        'processor time, with delivery': median(costs(variant)),
        'ratio of that': ratio(costs(variant), costs('bare')),
        delivered: variant === 'bare' ? undefined : spans[variant] / made,
      })),
      // On a quiet core both are the same. Whoever else runs on it stretches the wall time of some blocks, not their processor time.
      targets: [
        { text: `at most ${LIMIT} x bare`, figure: ratio(walls('threadspan'), walls('bare')), limit: LIMIT },
        {
          text: `the same by processor time, with delivery`,
          figure: ratio(costs('threadspan'), costs('bare')),
          limit: LIMIT,
        },
      ],
    }
  })
}
