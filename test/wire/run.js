// What becomes of a program's spans when the endpoint has a fault.
// Usage: node test/wire/run.js [--outage SECONDS] [--only PART] [--json]
//   --outage   how long the endpoint is away that comes back; 60 unless told
// Exit code 1 when a row is not as it must be.
import { spawn } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { faults } from './faults.js'

const { values } = parseArgs({
  options: {
    outage: { type: 'string', default: '60' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
})
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const preload = join(resolve(process.env.THREADSPAN_DIST ?? join(root, 'dist')), 'register.cjs')
const program = join(root, 'test/fixtures/wire/steady.cjs')
const RATE = 200

function clean() {
  const env = { ...process.env }
  for (const name of Object.keys(env))
    if (/^(OTEL_|THREADSPAN_|TRACE|BAGGAGE|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name)) delete env[name]
  return env
}

function run(url, seconds, protocol) {
  const child = spawn(process.execPath, ['--require', preload, program, String(seconds), String(RATE)], {
    env: {
      ...clean(),
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      THREADSPAN_EXIT_TIMEOUT: '5000',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => {
      said[name] += text
    })
  return new Promise((done) => child.on('close', (code) => done({ ...said, code })))
}

/** What the program says of its losses, by cause. */
function losses(stderr) {
  const [, , , text] = /(\d+) of (\d+) spans did not arrive: (.*) \(THREADSPAN_DROPPED\)/.exec(stderr) ?? []
  const causes = text === undefined ? [] : text.split(', ').map((cause) => cause.split(' '))
  return Object.fromEntries(causes.map(([cause, count]) => [cause, Number(count)]))
}

async function row({ name, protocol, serve, lost, seconds = () => 2 }) {
  const outage = Number(values.outage)
  const endpoint = await serve(outage)
  try {
    const { stdout, stderr, code } = await run(endpoint.url, seconds(outage), protocol)
    const made = Number(stdout)
    const ids = endpoint.accepted()
    const delivered = new Set(ids).size
    const causes = losses(stderr)
    const dropped = Object.values(causes).reduce((sum, count) => sum + count, 0)
    const isGood =
      code === 0 &&
      made > 0 &&
      made === delivered + dropped &&
      ids.length === delivered &&
      endpoint.bad().length === 0 &&
      isDeepStrictEqual(causes, lost(made))
    return { name, made, delivered, duplicates: ids.length - delivered, dropped, causes, isGood, stderr }
  } finally {
    await endpoint.close()
  }
}

const wanted = faults.filter(({ name }) => values.only?.some((part) => name.includes(part)) ?? true)
const rows = []
// More at once would measure this machine.
const WIDTH = 12
const waiting = [...wanted.entries()]
const lane = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
    rows[next[0]] = await row(next[1])
}
await Promise.all(Array.from({ length: WIDTH }, lane))
if (values.json) console.log(JSON.stringify(rows))
else {
  const print = ([name, ...cells]) =>
    console.log(`${name.padEnd(54)}${cells.map((cell) => String(cell).padStart(11)).join('')}`)
  print(['the endpoint ...', 'made', 'delivered', 'dropped', ''])
  for (const { name, made, delivered, dropped, causes, isGood, stderr } of rows) {
    print([name, made, delivered, dropped, Object.keys(causes).join()])
    if (!isGood) console.log(`    not as it must be: ${stderr}`)
  }
  console.log(`\n${rows.filter(({ isGood }) => isGood).length} of ${rows.length} as they must be`)
}
process.exitCode = rows.every(({ isGood }) => isGood) ? 0 : 1
