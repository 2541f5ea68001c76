// What `errors: 'domain'` costs: async-hook-domain follows asynchronous work by an `async_hooks` hook, which sees every promise.
import { alternate, median, PRELOADED, Program, program, ratio } from '../harness.js'

export const name = 'domains'

const KINDS = { inside: 'in a transaction', beside: 'beside one' }

export async function measure({ quick }) {
  const start = (mode) =>
    Program.start(program('domains.js'), {
      node: PRELOADED,
      core: 0,
      env: { OTEL_TRACES_EXPORTER: 'none', THREADSPAN_ERRORS: mode },
    })
  const programs = { context: await start('context'), domain: await start('domain') }
  const modes = Object.keys(programs)
  const figures = await alternate(
    Object.fromEntries(
      modes.flatMap((mode) =>
        Object.keys(KINDS).map((kind) => [
          `${mode} ${kind}`,
          () => programs[mode].ask('block', { kind, count: 2000 }),
        ]),
      ),
    ),
    quick ? 5 : 21,
  )
  for (const running of Object.values(programs)) await running.end()
  return {
    title: 'Work of 50 awaits and a turn of the event loop',
    unit: 'us',
    rows: Object.entries(KINDS).flatMap(([kind, text]) =>
      modes.map((mode) => ({
        variant: `THREADSPAN_ERRORS=${mode}, ${text}`,
        value: median(figures[`${mode} ${kind}`]),
        ratio: ratio(figures[`${mode} ${kind}`], figures[`context ${kind}`]),
      })),
    ),
    targets: [],
  }
}
