// What arrives when something dies: a table with a row for each ending, on the Node that runs this.
// Usage: node test/deaths/run.js [--repeat N] [--only PART] [--json] [--kill N] [--terminate N]
//   --kill N        kills a child at N random moments; with --terminate N, a worker: what ended 10 ms before must be there
// Exit code 1 when a row is not as it must be.
import { parseArgs } from 'node:util'
import { endings } from './endings.js'
import { killAtRandom, terminateAtRandom } from './random.js'
import { runProgram, settled, startReceiver, summary } from './support.js'

const { values } = parseArgs({
  options: {
    repeat: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    kill: { type: 'string' },
    terminate: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
})

function median(list) {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

/** Without and with, in turn. */
async function row(receiver, ending, repeat) {
  const added = []
  let worst
  for (let i = 0; i < repeat; i++) {
    const bare = await runProgram(ending)
    const run = receiver.newRun()
    const traced = await runProgram(ending, run)
    const found = summary(await settled(receiver, run, ending.ended + ending.open))
    added.push(traced.ms - bare.ms)
    const same = ['code', 'signal', 'stdout', 'stderr'].filter((what) => bare[what] !== traced[what])
    const made = ending.ended + ending.open
    const isGood =
      found.arrived === made &&
      found.duplicates === 0 &&
      found.closed === ending.open &&
      found.wrong === 0 &&
      found.bad === 0 &&
      same.length === 0
    const result = { name: ending.name, made, ...found, differs: same, isGood, stderr: traced.stderr }
    if (worst === undefined || !isGood) worst = result
  }
  return { ...worst, added: Math.round(median(added)) }
}

const receiver = await startReceiver()
const rows = []
try {
  if (values.kill !== undefined || values.terminate !== undefined) {
    const seed = Number(values.seed)
    const tests = { kill: killAtRandom, terminate: terminateAtRandom }
    for (const [name, test] of Object.entries(tests)) {
      if (values[name] === undefined) continue
      const result = await test(receiver, Number(values[name]), seed)
      rows.push(result)
      if (!values.json) console.log(result)
    }
  } else {
    const wanted = endings.filter(({ name }) => values.only?.some((part) => name.includes(part)) ?? true)
    if (!values.json) console.log(`Node ${process.version}, ${values.repeat} runs each\n`)
    if (!values.json) print(['ending', 'made', 'arrived', 'twice', 'closed', 'same', 'ms', ''])
    for (const ending of wanted) {
      const result = await row(receiver, ending, Number(values.repeat))
      rows.push(result)
      const { name, made, arrived, duplicates, closed, differs, added, isGood } = result
      const same = differs.length === 0 ? 'yes' : differs.join()
      if (!values.json) print([name, made, arrived, duplicates, closed, same, added, isGood ? '' : '<--'])
      if (!isGood && !values.json) console.log(`    ${JSON.stringify(result)}`)
    }
  }
} finally {
  receiver.close()
}
if (values.json) console.log(JSON.stringify(rows))
else console.log(`\n${rows.filter(({ isGood }) => isGood).length} of ${rows.length} as they must be`)
process.exitCode = rows.every(({ isGood }) => isGood) ? 0 : 1

function print([name, ...cells]) {
  console.log(`${name.padEnd(52)}${cells.map((cell) => String(cell).padStart(8)).join('')}`)
}
