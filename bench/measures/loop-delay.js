// (f) How long an event loop that makes spans keeps others waiting.
import { alternate, BARE, difference, median, PRELOADED, Program, program, withReceiver } from '../harness.js'

export const name = 'loop-delay'

const RATE = 20_000
const MILLISECONDS = 1

export async function measure({ quick }) {
  const milliseconds = quick ? 1000 : 3000
  return await withReceiver(async ({ endpointOf, arrived }) => {
    const start = (variant, node, kind) =>
      Program.start(program('loop-delay.js'), { node, endpoint: endpointOf(variant), args: [kind] })
    const programs = {
      threadspan: await start('threadspan', PRELOADED, 'threadspan'),
      'OpenTelemetry SDK': await start('OpenTelemetry SDK', BARE, 'sdk'),
    }
    const made = {}
    const blocks = {}
    for (const [variant, running] of Object.entries(programs)) {
      made[variant] = 0
      blocks[`${variant}, no spans`] = async () => (await running.ask('block', { milliseconds, rate: 0 })).p99
      blocks[variant] = async () => {
        const figures = await running.ask('block', { milliseconds, rate: RATE })
        made[variant] += figures.made
        return figures.p99
      }
    }
    const figures = await alternate(blocks, quick ? 3 : 9)
    for (const running of Object.values(programs)) await running.end()
    const spans = await arrived()
    const more = (variant) => difference(figures[variant], figures[`${variant}, no spans`])
    return {
      title: `Event loop delay at ${RATE} spans/s, 99th percentile`,
      unit: 'ms',
      rows: Object.keys(programs).flatMap((variant) => [
        { variant: `${variant}, no spans`, value: median(figures[`${variant}, no spans`]) },
        {
          variant,
          value: median(figures[variant]),
          'more than no spans': more(variant),
          delivered: spans[variant] / made[variant],
        },
      ]),
      targets: [{ text: `at most +${MILLISECONDS} ms`, figure: more('threadspan'), limit: MILLISECONDS }],
    }
  })
}
