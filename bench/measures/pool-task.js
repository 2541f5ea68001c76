// (a) What a task of a pool costs when it makes two spans: one on either side of the thread boundary.
import { alternate, BARE, median, PRELOADED, Program, program, ratio, withReceiver } from '../harness.js'

export const name = 'pool-task'

const LIMIT = 1.15

export async function measure({ quick }) {
  const rounds = quick ? 5 : 21
  const count = quick ? 5000 : 20_000
  const core = 0
  return await withReceiver(async ({ endpoint, taken }) => {
    const start = (file, node, kind, env) =>
      Program.start(program(file), { node, core, endpoint, args: [kind], env })
    const programs = {
      bare: await start('pool-task.js', BARE, 'none'),
      threadspan: await start('pool-task.js', PRELOADED, 'threadspan'),
      'by hand': await start('pool-task-by-hand.js', BARE, 'sdk'),
      'by hand, worker exports': await start('pool-task-by-hand.js', BARE, 'sdk', {
        BENCH_ATOMICS: 'disabled',
      }),
    }
    const arrived = {}
    const blocks = Object.entries(programs).map(([variant, running]) => [
      variant,
      async () => {
        const figures = await running.ask('block', count)
        arrived[variant] = (arrived[variant] ?? 0) + (await taken())
        return figures
      },
    ])
    const figures = await alternate(Object.fromEntries(blocks), rounds)
    for (const [variant, running] of Object.entries(programs)) {
      await running.end()
      arrived[variant] += await taken()
    }
    const made = (rounds + 1) * (2 * count + 1)
    const walls = (variant) => figures[variant].map(({ wall }) => wall)
    return {
      title: 'No-op Piscina task with two spans, on one core',
      unit: 'us',
      rows: Object.keys(programs).map((variant) => ({
        variant,
        value: median(walls(variant)),
        ratio: ratio(walls(variant), walls('bare')),
        'processor time, with delivery': median(figures[variant].map(({ cpu }) => cpu)),
        delivered: variant === 'bare' ? undefined : arrived[variant] / made,
      })),
      targets: [{ text: `at most ${LIMIT} x bare`, figure: ratio(walls('threadspan'), walls('bare')), limit: LIMIT }],
    }
  })
}
