// W3C's own test harness for Trace Context, level 2, against a service that is followed by the preload: bodies read by events and by
// `for await`, calls made on the main thread, in a Piscina worker and in a child process, through `node:http` and by `fetch`.
// Usage: node test/suites/w3c.js <a checkout of https://github.com/w3c/trace-context> [part of a row's name ...]
// Needs Python 3 with aiohttp (Debian: python3-aiohttp).
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const preload = join(root, 'dist', 'register.cjs')
const service = fileURLToPath(new URL('w3c/service.cjs', import.meta.url))
const [checkout, ...wanted] = process.argv.slice(2)
const harness = join(checkout ?? '', 'test', 'test.py')
if (checkout === undefined || !existsSync(harness)) {
  console.error(
    `Usage: npm run test:w3c -- <a checkout of https://github.com/w3c/trace-context> [part of a row's name ...]`,
  )
  process.exit(2)
}
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import aiohttp']).status === 0,
)
if (python === undefined) {
  console.error('There is no Python 3 with aiohttp (Debian: apt-get install python3-aiohttp).')
  process.exit(2)
}

/** Each row: how the body is read, where the calls are made, and with what. */
const rows = ['events', 'iterate'].flatMap((reading) =>
  ['main', 'worker', 'child'].flatMap((place) => ['http', 'fetch'].map((client) => [reading, place, client])),
)

/** @returns what the harness said: how many tests it ran, and which of them failed. */
async function run(row) {
  const program = spawn(process.execPath, ['--require', preload, service, ...row], {
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [address] = await once(program.stdout, 'data')
  const tests = spawn(python, [harness, String(address).trim()], {
    env: { ...process.env, SPEC_LEVEL: '2', STRICT_LEVEL: '2', HARNESS_TIMEOUT: '30' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [tests.stdout, tests.stderr])
    stream.on('data', (chunk) => {
      output += chunk
    })
  await once(tests, 'close')
  program.kill()
  await once(program, 'close')
  return {
    count: Number(/^Ran (\d+) tests?/m.exec(output)?.[1] ?? 0),
    failed: [...output.matchAll(/^(?:FAIL|ERROR): (\S+)/gm)].map(([, name]) => name),
    output,
  }
}

let isGood = true
for (const row of rows) {
  const name = row.join(' ')
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue
  const { count, failed, output } = await run(row)
  if (count === 0) console.log(output)
  if (count === 0 || failed.length > 0) isGood = false
  console.log(
    `${name.padEnd(24)} ${count - failed.length} of ${count}${failed.map((each) => `\n  ${each}`).join('')}`,
  )
}
console.log(`Node ${process.version}: ${isGood ? 'all hold' : 'NOT all hold'}`)
process.exit(isGood ? 0 : 1)
