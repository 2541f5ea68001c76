// (e) `capture().wrap(fn)` against Node's own `AsyncLocalStorage.snapshot()`, which carries no more than this thread's storages.
import { alternate, BARE, median, PRELOADED, Program, program, ratio } from '../harness.js'

export const name = 'snapshot'

const LIMIT = 1.3
const PARTS = { both: 'made and called', made: 'made', called: 'called' }

export async function measure({ quick }) {
  const env = { OTEL_TRACES_EXPORTER: 'none' }
  const start = (node, kind) => Program.start(program('snapshot.js'), { node, core: 0, env, args: [kind] })
  const programs = { threadspan: await start(PRELOADED, 'threadspan'), node: await start(BARE, 'node') }
  const kinds = Object.keys(PARTS).flatMap((part) => [`threadspan ${part}`, `node ${part}`])
  const figures = await alternate(
    Object.fromEntries(
      kinds.map((kind) => [kind, () => programs[kind.split(' ')[0]].ask('block', { kind, count: 200_000 })]),
    ),
    quick ? 5 : 21,
  )
  for (const running of Object.values(programs)) await running.end()
  const both = ratio(figures['threadspan both'], figures['node both'])
  return {
    title: 'A function tied to what is current',
    unit: 'us',
    rows: Object.entries(PARTS).flatMap(([part, text]) => [
      {
        variant: `capture().wrap(fn), ${text}`,
        value: median(figures[`threadspan ${part}`]),
        ratio: ratio(figures[`threadspan ${part}`], figures[`node ${part}`]),
      },
      { variant: `AsyncLocalStorage.snapshot(), ${text}`, value: median(figures[`node ${part}`]), ratio: 1 },
    ]),
    targets: [{ text: `at most ${LIMIT} x snapshot()`, figure: both, limit: LIMIT }],
  }
}
