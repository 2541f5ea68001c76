// Endings without and with threadspan, pair by pair, and what the pairs of each come to.
import { runProgram, settled } from './support.js'

/** Nanoseconds by which the clocks of two processes may differ: each has read the wall clock by itself. */
const CLOCKS = 3_000_000n

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

/** What the application's spans came to. */
function summary({ bad, spans }, ending, [from, to]) {
  const own = spans.filter(({ scope }) => scope === 'app')
  const unique = new Set(own.map(({ id }) => id)).size
  const closed = own.filter((span) => span.closed !== null)
  return {
    bad,
    arrived: unique,
    duplicates: own.length - unique,
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

/** One run without, and one with. */
async function pair(receiver, ending, binary) {
  const options = { ...ending, binary }
  const bare = await runProgram(options)
  const run = receiver.newRun()
  const made = ending.ended + ending.open
  const watched = { endpoint: run, count: () => receiver.count(run) }
  const traced = await runProgram(options, watched)
  const found = summary(await settled(receiver, run, made), ending, traced.died)
  const differs = ['code', 'signal', 'stdout', 'stderr'].filter((what) => bare[what] !== traced[what])
  const isGood =
    found.arrived === made &&
    found.duplicates === 0 &&
    found.closed === ending.open &&
    found.wrong === 0 &&
    found.bad === 0 &&
    differs.length === 0
  const told = differs.length > 0 ? { bare, traced } : traced
  return { name: ending.name, made, ...found, differs, isGood, run, added: traced.ms - bare.ms, told }
}

/** A row of the table: the first pair that is not as it must be, or the first one, and sums over all. */
function rowOf(pairs) {
  const { run: _run, told, added: _added, ...shown } = pairs.find(({ isGood }) => !isGood) ?? pairs[0]
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
 * Runs every ending `repeat` times, `jobs` pairs at the same time.
 * @param tell Called with each row, in the order of the endings.
 * @returns The rows, and what they come to together.
 */
export async function measure(receiver, endings, { repeat, jobs, binary }, tell) {
  const pairs = endings.map(() => [])
  const rows = []
  const queue = endings.flatMap((ending, row) => Array.from({ length: repeat }, () => ({ ending, row })))
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      pairs[next.row].push(await pair(receiver, next.ending, binary))
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
