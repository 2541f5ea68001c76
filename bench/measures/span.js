// (b) What a span costs the thread that makes it, and (d) how many of them one thread gets to a receiver.
import { alternate, BARE, difference, median, PRELOADED, Program, program, ratio, withReceiver } from '../harness.js'

export const name = 'span'

const MICROSECONDS = 1.0
const SHARE_OF_SDK = 1 / 5
const TIMES_SDK = 4

export async function measure({ quick }) {
  const rounds = quick ? 5 : 15
  return await withReceiver(async ({ endpoint, taken }) => {
    const start = (node, kind) => Program.start(program('spans.js'), { node, endpoint, args: [kind] })
    const programs = {
      threadspan: await start(PRELOADED, 'threadspan'),
      'OpenTelemetry SDK': await start(BARE, 'sdk'),
      // The same calls with no SDK: the loop, and OpenTelemetry's API.
      'none (the API alone)': await start(BARE, 'none'),
    }
    const arrived = {}
    const blocks = (count) =>
      Object.fromEntries(
        Object.entries(programs).map(([variant, running]) => [
          variant,
          async () => {
            const figures = await running.ask('block', count)
            arrived[variant] = (arrived[variant] ?? 0) + (await taken()) / count
            return figures
          },
        ]),
      )
    const costs = await alternate(blocks(20_480), rounds)
    const long = Math.ceil(rounds / 3)
    const floods = await alternate(blocks(102_400), long)
    for (const running of Object.values(programs)) await running.end()
    const asked = rounds + 1 + long + 1
    const all = (variant) => costs[variant].map(({ cost }) => cost)
    const rates = (variant) => floods[variant].map(({ rate }) => rate)
    const delivered = (variant) => (variant.startsWith('none') ? undefined : arrived[variant] / asked)
    const cost = median(all('threadspan'))
    const share = ratio(all('threadspan'), all('OpenTelemetry SDK'))
    const times = ratio(rates('threadspan'), rates('OpenTelemetry SDK'))
    return [
      {
        title: 'Span with three attributes, delivered: processor time of the thread that makes it',
        unit: 'us',
        rows: Object.keys(programs).map((variant) => ({
          variant,
          value: median(all(variant)),
          ratio: ratio(all(variant), all('OpenTelemetry SDK')),
          'of that, until end() returned': median(costs[variant].map(({ making }) => making)),
          'more than none': difference(all(variant), all('none (the API alone)')),
          delivered: delivered(variant),
        })),
        targets: [
          { text: `at most ${MICROSECONDS.toFixed(1)} us`, figure: cost, limit: MICROSECONDS },
          { text: 'at most a fifth of the SDK', figure: share, limit: SHARE_OF_SDK },
        ],
      },
      {
        title: 'Spans from one thread to a receiver in another process',
        unit: 'spans/s',
        rows: ['threadspan', 'OpenTelemetry SDK'].map((variant) => ({
          variant,
          value: median(rates(variant)),
          ratio: ratio(rates(variant), rates('OpenTelemetry SDK')),
          delivered: delivered(variant),
        })),
        targets: [{ text: `at least ${TIMES_SDK} x the SDK`, figure: times, limit: TIMES_SDK, isLeast: true }],
      },
    ]
  })
}
