// (j) What a value costs the thread that measures it: with two attributes, in one of eight series.
import { alternate, BARE, difference, median, PRELOADED, Program, program, ratio } from '../harness.js'

export const name = 'metrics'

const NANOSECONDS = 30
const SHARE_OF_SDK = 1 / 4
const CALLS = { add: 'counter.add', record: 'histogram.record', set: 'gauge.record' }
const COUNT = 400_000

const SDK = 'OpenTelemetry SDK'
const PROM = 'prom-client'
const EMPTY = 'an empty call'

export async function measure({ quick }) {
  const env = {
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
  }
  const start = (node, kind) => Program.start(program('metrics.js'), { node, core: 0, env, args: [kind] })
  const programs = {
    threadspan: await start(PRELOADED, 'threadspan'),
    [SDK]: await start(BARE, 'sdk'),
    [PROM]: await start(BARE, 'prom-client'),
    [EMPTY]: await start(BARE, 'empty'),
  }
  const tables = []
  for (const [call, text] of Object.entries(CALLS)) {
    const figures = await alternate(
      Object.fromEntries(
        Object.entries(programs).map(([variant, running]) => [
          variant,
          () => running.ask('block', { call, count: COUNT }),
        ]),
      ),
      quick ? 5 : 21,
    )
    const more = difference(figures.threadspan, figures[EMPTY])
    const share = ratio(figures.threadspan, figures[SDK])
    tables.push({
      title: `${text} with two attributes`,
      unit: 'ns',
      rows: Object.keys(programs).map((variant) => ({
        variant,
        value: median(figures[variant]),
        ratio: ratio(figures[variant], figures[SDK]),
        'more than empty': difference(figures[variant], figures[EMPTY]),
      })),
      targets:
        call === 'set'
          ? []
          : [
              { text: `at most ${NANOSECONDS} ns more than an empty call`, figure: more, limit: NANOSECONDS },
              { text: 'at most a quarter of the SDK', figure: share, limit: SHARE_OF_SDK },
            ],
    })
  }
  for (const running of Object.values(programs)) await running.end()
  return tables
}
