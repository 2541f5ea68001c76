// (b) What a span costs the thread that makes it, and (d) how many of them one thread gets to a receiver.
import {
  alternate,
  BARE,
  difference,
  each,
  median,
  PRELOADED,
  Program,
  program,
  ratio,
  withReceiver,
} from '../harness.js'

export const name = 'span'

const MICROSECONDS = 1.0
const SHARE_OF_SDK = 1 / 5
const TIMES_SDK = 4

const SDK = 'OpenTelemetry SDK'
const NONE = 'none (the API alone)'
/** Spans of one block. */
const BURST = 20_480
const FLOOD = 102_400

export async function measure({ quick }) {
  const rounds = quick ? 5 : 15
  return await withReceiver(async ({ endpointOf, arrived }) => {
    const start = (variant, node, kind) =>
      Program.start(program('spans.js'), { node, endpoint: endpointOf(variant), args: [kind] })
    const programs = {
      threadspan: await start('threadspan', PRELOADED, 'threadspan'),
      [SDK]: await start(SDK, BARE, 'sdk'),
      // The same calls with no SDK: the loop, and OpenTelemetry's API.
      [NONE]: await start(NONE, BARE, 'none'),
    }
    const blocks = (count) => each(programs, (running) => running.ask('block', count))
    const costs = await alternate(blocks(BURST), rounds)
    const long = Math.ceil(rounds / 3)
    const floods = await alternate(blocks(FLOOD), long)
    for (const running of Object.values(programs)) await running.end()
    const made = (rounds + 1) * BURST + (long + 1) * FLOOD
    const spans = await arrived()
    const all = (variant) => costs[variant].map(({ cost }) => cost)
    const rates = (variant) => floods[variant].map(({ rate }) => rate)
    const delivered = (variant) => (variant === NONE ? undefined : spans[variant] / made)
    const cost = median(all('threadspan'))
    const share = ratio(all('threadspan'), all(SDK))
    const times = ratio(rates('threadspan'), rates(SDK))
    return [
      {
        title: 'Span with three attributes, delivered: processor time of the thread that makes it',
        unit: 'us',
        rows: Object.keys(programs).map((variant) => ({
          variant,
          value: median(all(variant)),
          ratio: ratio(all(variant), all(SDK)),
          'wall time until end() returned': median(costs[variant].map(({ making }) => making)),
          'more than none': difference(all(variant), all(NONE)),
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
        rows: ['threadspan', SDK].map((variant) => ({
          variant,
          value: median(rates(variant)),
          ratio: ratio(rates(variant), rates(SDK)),
          delivered: delivered(variant),
        })),
        targets: [
          { text: `at least ${TIMES_SDK} x the SDK`, figure: times, limit: TIMES_SDK, isLeast: true },
        ],
      },
    ]
  })
}
