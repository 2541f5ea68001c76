// (h) What a request costs the process of a bare server: the processor time of all its threads, delivery included.
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

export const name = 'http-request'

const SHARE = 1 / 4
const OTHER = 'auto-instrumentations'
const REQUESTS = 2000
/** Milliseconds for what was made to be delivered. */
const SETTLE = 300

export async function measure({ quick }) {
  const rounds = quick ? 5 : 15
  return await withReceiver(async ({ endpointOf, arrived }) => {
    const options = { bare: BARE, threadspan: PRELOADED, [OTHER]: autoInstrumented() }
    // More often than by default, so that each block pays for its own delivery.
    const env = { OTEL_BSP_SCHEDULE_DELAY: '100' }
    const load = await Program.start(program('http-load.js'))
    const servers = {}
    for (const [variant, node] of Object.entries(options))
      servers[variant] = await Program.start(program('http-server.cjs'), {
        node,
        endpoint: endpointOf(variant),
        env,
        core: 0,
      })
    const figures = await alternate(
      each(servers, async (server) => {
        const port = await server.ask('port')
        const before = await server.ask('used')
        await load.ask('send', { port, count: REQUESTS })
        await new Promise((resolve) => setTimeout(resolve, SETTLE))
        return ((await server.ask('used')) - before) / REQUESTS
      }),
      rounds,
    )
    for (const running of [load, ...Object.values(servers)]) await running.end()
    const made = (rounds + 1) * REQUESTS
    const spans = await arrived()
    const more = (variant) => difference(figures[variant], figures.bare)
    const share = more('threadspan') / more(OTHER)
    return {
      title: "Request to a bare server: processor time of the server's process",
      unit: 'us',
      rows: Object.keys(options).map((variant) => ({
        variant,
        value: median(figures[variant]),
        'more than bare': more(variant),
        delivered: variant === 'bare' ? undefined : (spans[variant] ?? 0) / made,
      })),
      targets: [{ text: "at most a quarter of OpenTelemetry's", figure: share, limit: SHARE }],
    }
  })
}
