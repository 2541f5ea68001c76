// What arrives when something dies: a table with a row for each ending.
// Usage: node test/deaths/run.js [--repeat N] [--jobs N] [--node PATH|MAJOR] [--only PART] [--logs] [--json] [--kill N] [--terminate N]
//   --jobs N        pairs of runs at the same time: for what arrives; the times then tell nothing
//   --logs          each span that ends has a log record, which must be there once
//   --node          on another Node than the one that runs this
//   --kill N        kills a child at N random moments; with --terminate N, a worker: what ended 10 ms before must be there
// Exit code 1 when a row is not as it must be.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { nodeOf } from '../support/nodes.js'
import { endings } from './endings.js'
import { measure } from './measure.js'
import { killAtRandom, terminateAtRandom } from './random.js'
import { startReceiver } from './support.js'

const { values } = parseArgs({
  options: {
    repeat: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '1' },
    node: { type: 'string' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    logs: { type: 'boolean', default: false },
    kill: { type: 'string' },
    terminate: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
})
const binary =
  values.node === undefined ? process.execPath : /^\d+$/.test(values.node) ? nodeOf(values.node) : values.node
const version = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim()

async function atRandom(receiver) {
  const rows = []
  const tests = { kill: killAtRandom, terminate: terminateAtRandom }
  for (const [name, test] of Object.entries(tests)) {
    if (values[name] === undefined) continue
    rows.push(await test(receiver, binary, Number(values[name]), Number(values.seed)))
    if (!values.json) console.log(rows.at(-1))
  }
  return { rows, totals: undefined }
}

function print([name, ...cells]) {
  console.log(`${name.padEnd(52)}${cells.map((cell) => String(cell).padStart(8)).join('')}`)
}

function printRow(row) {
  const { name, made, arrived, duplicates, closed, differs, added, isGood } = row
  const same = differs.length === 0 ? 'yes' : differs.join()
  print([name, made, arrived, duplicates, closed, same, added, isGood ? '' : '<--'])
  if (!isGood)
    console.log(`    ${JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`)
}

function printTotals({
  pairs,
  made,
  arrived,
  lost,
  duplicates,
  late,
  wrong,
  differences,
  medianAdded,
  rowsAbove25,
}) {
  console.log(`
${pairs} pairs: ${made} spans made, ${arrived} arrived, ${lost} lost, ${duplicates + late} duplicates, ${wrong} wrong, ${differences} differences`)
  if (values.jobs === '1')
    console.log(
      `added time: median of all pairs ${medianAdded} ms, ${rowsAbove25} rows with a median above 25 ms`,
    )
}

function table(receiver) {
  const wanted = endings.filter(({ name }) => values.only?.some((part) => name.includes(part)) ?? true)
  const [repeat, jobs] = [Number(values.repeat), Number(values.jobs)]
  if (!values.json) {
    console.log(`Node ${version}, ${repeat} pairs of runs each, ${jobs} at the same time\n`)
    print(['ending', 'made', 'arrived', 'twice', 'closed', 'same', 'ms', ''])
  }
  return measure(
    receiver,
    wanted,
    { repeat, jobs, binary, hasLogs: values.logs },
    values.json ? () => {} : printRow,
  )
}

const receiver = await startReceiver()
let result
try {
  const isRandom = values.kill !== undefined || values.terminate !== undefined
  result = await (isRandom ? atRandom(receiver) : table(receiver))
} finally {
  receiver.close()
}
const { rows, totals } = result
if (values.json)
  console.log(
    JSON.stringify({ node: version, ...result }, (_, value) =>
      typeof value === 'bigint' ? `${value}` : value,
    ),
  )
else {
  if (totals !== undefined) printTotals(totals)
  console.log(`${rows.filter(({ isGood }) => isGood).length} of ${rows.length} as they must be`)
}
process.exitCode = rows.every(({ isGood }) => isGood) && (totals?.late ?? 0) === 0 ? 0 : 1
