// Endings without and with threadspan, pair by pair, and what the pairs of each come to.
import { runProgram, settled } from './support.js'

/** Nanoseconds by which the clocks of two processes may differ: each has read the wall clock by itself. */
const CLOCKS = 3_000_000n

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

/** What the application's spans came to. */
function summary({ bad, spans, logs }, ending, [from, to]) {
  const own = spans.filter(({ scope }) => scope === 'app')
  const unique = new Set(own.map(({ id }) => id)).size
  const closed = own.filter((span) => span.closed !== null)
  const steps = new Set(
    own.filter(({ name, closed }) => name === 'step' && closed === null).map(({ id }) => id),
  )
  return {
    bad,
    arrived: unique,
    duplicates: own.length - unique,
    steps: steps.size,
    logs: new Set(logs).size,
    logsTwice: logs.length - new Set(logs).size,
    logsAstray: logs.filter((id) => !steps.has(id)).length,
    closed: closed.length,
    reasons: [...new Set(closed.map((span) => span.closed))],
    wrong: closed.filter(({ code, start, end, message, closed: reason }) => {
      const isLate = !ending.isOutlived && BigInt(end) > to + CLOCKS
      const isEarly = BigInt(end) < BigInt(start) || (!ending.isOutlived && BigInt(end) < from - CLOCKS)
      return code !== 2 || reason !== ending.reason || message !== reason || isEarly || isLate
    }).length,
    // How far from the bounds in milliseconds, for those that wonder why an ending is not as it must be.
    sinceDeath: closed.map(({ end }) => Number(BigInt(end) - from) / 1e6).slice(0, 3),
    untilEnd: closed.map(({ end }) => Number(to - BigInt(end)) / 1e6).slice(0, 3),
  }
}

/** Each step is logged as well. */
const LOGS = { DEATHS_LOGS: '1', OTEL_LOGS_EXPORTER: 'otlp', OTEL_BLRP_SCHEDULE_DELAY: '60000' }
/** Runs with threadspan that are compared with the same run without, where many go on at the same time. */
const SHARING = 10
/** Milliseconds that an end may take there: the default is meant for a machine that has time for the program. */
const PATIENCE = 20_000

/**
 * One run without, and one with.
 * @param known What the run without came to, where one of before will do.
 */
async function pair(receiver, ending, binary, { isCrowded, hasLogs }, known) {
  const options = { ...ending, binary, env: { ...ending.env, ...(hasLogs ? LOGS : {}) } }
  const bare = known ?? (await runProgram(options))
  const run = receiver.newRun()
  const made = ending.ended + ending.open
  const watched = {
    endpoint: run,
    count: async () =>
      hasLogs ? Math.min(await receiver.count(run), await receiver.logs(run)) : receiver.count(run),
    env: isCrowded ? { THREADSPAN_EXIT_TIMEOUT: String(PATIENCE) } : {},
  }
  const traced = await runProgram(options, watched)
  const found = summary(await settled(receiver, run, made, hasLogs), ending, traced.died)
  const differs = ['code', 'signal', 'stdout', 'stderr'].filter((what) => bare[what] !== traced[what])
  const isGood =
    found.arrived === made &&
    found.duplicates === 0 &&
    found.closed === ending.open &&
    found.wrong === 0 &&
    found.bad === 0 &&
    (!hasLogs || (found.logs === found.steps && found.logsTwice === 0 && found.logsAstray === 0)) &&
    differs.length === 0
  const told = differs.length > 0 ? { bare, traced } : traced
  return { name: ending.name, made, ...found, differs, isGood, run, bare, added: traced.ms - bare.ms, told }
}

/** A row of the table: the first pair that is not as it must be, or the first one, and sums over all. */
function rowOf(pairs) {
  const {
    run: _run,
    bare: _bare,
    told,
    added: _added,
    ...shown
  } = pairs.find(({ isGood }) => !isGood) ?? pairs[0]
  const sum = (of) => pairs.reduce((total, one) => total + of(one), 0)
  return {
    ...shown,
    ...(shown.isGood ? {} : { stderr: told.stderr, told }),
    added: Math.round(median(pairs.map(({ added }) => added))),
    pairs: pairs.length,
    sums: {
      made: sum(({ made }) => made),
      arrived: sum(({ arrived }) => arrived),
      lost: sum(({ made, arrived }) => Math.max(0, made - arrived)),
      duplicates: sum(({ duplicates }) => duplicates),
      differences: sum(({ differs }) => differs.length),
      wrong: sum(({ wrong, bad }) => wrong + bad),
    },
  }
}

/**
 * Runs every ending `repeat` times, `jobs` pairs at the same time; with more than one, times tell nothing, and a run without
 * serves for some with.
 * @param tell Called with each row, in the order of the endings.
 * @returns The rows, and what they come to together.
 */
export async function measure(receiver, endings, { repeat, jobs, binary, hasLogs }, tell) {
  const pairs = endings.map(() => [])
  const rows = []
  const queue = endings.flatMap((ending, row) => Array.from({ length: repeat }, () => ({ ending, row })))
  const isCrowded = jobs > 1
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const before = pairs[next.row]
      const known = isCrowded && before.length % SHARING > 0 ? before.at(-1).bare : undefined
      before.push(await pair(receiver, next.ending, binary, { isCrowded, hasLogs }, known))
      while (pairs[rows.length]?.length === repeat) {
        rows.push(rowOf(pairs[rows.length]))
        tell(rows.at(-1))
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  const all = pairs.flat()
  // What comes after everything was there would be a span too many.
  let late = 0
  for (const { run } of all) late += await receiver.late(run)
  const totals = { late, medianAdded: Math.round(10 * median(all.map(({ added }) => added))) / 10 }
  totals.rowsAbove25 = rows.filter(({ added }) => added > 25).length
  for (const name of Object.keys(rows[0].sums))
    totals[name] = rows.reduce((total, { sums }) => total + sums[name], 0)
  return { rows, totals: { pairs: all.length, ...totals } }
}
