// (k) What a line of pino costs that has its span's ids, and one that is delivered as a log record as well.
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

export const name = 'log-line'

const SHARE_OF_SDK = 1 / 4
/** Lines of one block: what the ring holds of them need not be waited for. */
const COUNT = 2_000

const SDK = 'OpenTelemetry SDK, instrumentation-pino'
const NONE = 'none (pino alone)'
const IDS = 'threadspan, ids alone'
const EXPORTED = 'threadspan, ids and records'

export async function measure({ quick }) {
  return await withReceiver(async ({ endpointOf }) => {
    const start = (variant, node, kind, exporter = 'none') =>
      Program.start(program('log-line.js'), {
        node,
        endpoint: endpointOf(variant),
        args: [kind],
        env: { OTEL_LOGS_EXPORTER: exporter, OTEL_TRACES_EXPORTER: 'none' },
      })
    const programs = {
      [EXPORTED]: await start(EXPORTED, PRELOADED, 'threadspan', 'otlp'),
      [IDS]: await start(IDS, PRELOADED, 'threadspan'),
      [SDK]: await start(SDK, BARE, 'sdk'),
      [NONE]: await start(NONE, BARE, 'none'),
    }
    const figures = await alternate(
      each(programs, (running) => running.ask('block', COUNT)),
      quick ? 7 : 31,
    )
    for (const running of Object.values(programs)) await running.end()
    const all = (variant, what) => figures[variant].map((figure) => figure[what])
    const tableOf = (title, what, targets) => ({
      title,
      unit: 'us',
      rows: Object.keys(programs).map((variant) => ({
        variant,
        value: median(all(variant, what)),
        'more than none': difference(all(variant, what), all(NONE, what)),
        ratio: ratio(all(variant, what), all(SDK, what)),
      })),
      targets,
    })
    const more = (variant, what) => difference(all(variant, what), all(NONE, what))
    return [
      tableOf('Line of pino inside of a span: processor time of its thread until the call returned', 'call', [
        {
          text: 'at most a quarter of what the SDK adds',
          figure: more(EXPORTED, 'call') / more(SDK, 'call'),
          limit: SHARE_OF_SDK,
        },
      ]),
      tableOf('The same, delivered: processor time of all threads', 'processor', []),
    ]
  })
}
