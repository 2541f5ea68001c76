// (i) What a statement of pg in a request costs the process: the processor time of all its threads, delivery included.
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

export const name = 'pg-statement'

const SHARE = 1 / 5
const OTHER = 'auto-instrumentations'
const REQUESTS = 6000
/** Milliseconds for what was made to be delivered. */
const SETTLE = 300

export async function measure({ quick }) {
  const { noPostgresql, startPostgresql } = await import('../../build/test/support/databases.js')
  if (noPostgresql) throw new Error(noPostgresql)
  const database = await startPostgresql()
  try {
    return await withReceiver((receiver) => compare(receiver, database.port, quick ? 5 : 15))
  } finally {
    await database.stop()
  }
}

async function compare({ endpointOf, arrived }, port, rounds) {
  const options = { bare: BARE, threadspan: PRELOADED, [OTHER]: autoInstrumented() }
  // More often than by default, so that each block pays for its own delivery.
  const env = { OTEL_BSP_SCHEDULE_DELAY: '100', PORT: String(port) }
  const clients = {}
  for (const [variant, node] of Object.entries(options))
    clients[variant] = await Program.start(program('pg-client.cjs'), {
      node,
      endpoint: endpointOf(variant),
      env,
      core: 0,
    })
  const figures = await alternate(
    each(clients, async (client) => {
      const before = await client.ask('used')
      await client.ask('run', REQUESTS)
      await new Promise((resolve) => setTimeout(resolve, SETTLE))
      return ((await client.ask('used')) - before) / REQUESTS
    }),
    rounds,
  )
  for (const running of Object.values(clients)) await running.end()
  const made = (rounds + 1) * REQUESTS * 2
  const spans = await arrived()
  const more = (variant) => difference(figures[variant], figures.bare)
  return {
    title: "A request's statement of pg: processor time of the process",
    unit: 'us',
    rows: Object.keys(options).map((variant) => ({
      variant,
      value: median(figures[variant]),
      'more than bare': more(variant),
      delivered: variant === 'bare' ? undefined : Math.min(1, (spans[variant] ?? 0) / made),
    })),
    targets: [
      { text: "at most a fifth of OpenTelemetry's", figure: more('threadspan') / more(OTHER), limit: SHARE },
    ],
  }
}
