// Deaths at random moments: every span that had ended is there, once, and nothing that is none.
import { join } from 'node:path'
import { root, runProgram, settled } from './support.js'

const file = join(root, 'test/fixtures/deaths/random.cjs')

async function atRandom(receiver, binary, kind, times, seed) {
  const run = receiver.newRun()
  const options = { file, args: [kind, times, seed], timeout: 600_000, binary }
  const { stdout, stderr, code, ms } = await runProgram(options, { endpoint: run })
  const rounds = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  let made = 0
  for (const { count } of rounds) made += count + 1
  const { spans, bad } = await settled(receiver, run, made)
  const own = spans.filter(({ scope }) => scope === 'app')
  const names = new Set(own.map(({ name }) => name))
  const missing = []
  for (const { round, count } of rounds)
    for (let i = 0; i < count; i++) if (!names.has(`${round} ${i}`)) missing.push(`${round} ${i} of ${count}`)
  const victims = new Set(
    own.filter(({ name, closed }) => name.endsWith('victim') && closed !== null).map(({ name }) => name),
  )
  // One that was killed before its first span had begun has left nothing open.
  const open = rounds.filter(({ count }) => count > 0)
  const closedAll = open.every(({ round }) => victims.has(`${round} victim`)) && victims.size <= times
  const duplicates = own.length - new Set(own.map(({ id }) => id)).size
  const isGood =
    code === 0 &&
    rounds.length === times &&
    missing.length === 0 &&
    duplicates === 0 &&
    closedAll &&
    bad === 0 &&
    stderr === ''
  return {
    name: `${kind} at ${times} random moments, seed ${seed}`,
    made,
    arrived: own.length,
    missing: missing.length,
    first: missing.slice(0, 5),
    duplicates,
    closed: victims.size,
    open: open.length,
    bad,
    stderr,
    seconds: Math.round(ms / 1000),
    isGood,
  }
}

export const killAtRandom = (receiver, binary, times, seed) => atRandom(receiver, binary, 'kill', times, seed)
export const terminateAtRandom = (receiver, binary, times, seed) =>
  atRandom(receiver, binary, 'terminate', times, seed)
