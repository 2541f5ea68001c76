// Runs Node's own tests of threads, messages, processes and contexts, without and with the preload, and compares: what passes without must
// pass with it.
// Usage: node test/suites/node.js <sources of the Node that runs> [--node PATH] [--jobs N] [part of a test's name ...]
// The sources are those that https://nodejs.org publishes, or Debian's (`apt-get source nodejs`), of the Node that runs; of them, `test` is enough.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

const { values, positionals } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    jobs: { type: 'string', default: '2' },
    preload: { type: 'string', default: fileURLToPath(new URL('../../dist/register.cjs', import.meta.url)) },
  },
  allowPositionals: true,
})
const [sources, ...parts] = positionals
if (sources === undefined || !existsSync(join(sources, 'test', 'parallel'))) {
  console.error('Usage: npm run test:node -- <sources of Node> [--node PATH] [--jobs N] [part of a name ...]')
  process.exit(2)
}
const node = resolve(values.node)
const preload = resolve(values.preload)

const PARALLEL =
  /^parallel\/test-(worker|message|broadcastchannel|child-process|cluster|async-hooks|async-local-storage|asyncresource|diagnostics-channel|process-(exit|beforeexit|emit|env|execve|kill|on|uncaught|title)|signal|unhandled|promise-unhandled|event|domain|timers|atomics|abort|http-(agent|client|server|keep|upgrade|connect|request|response|abort)|http2-(client|server|compat)|module-|require-|preload|cwd-enoent)/

/** Milliseconds for one of them; Node's own limit is twice that. */
const PATIENCE = 60_000
/** A test that fails once and passes when it is run again is a matter of timing. */
const ATTEMPTS = 3

const files = [
  ...namesIn('parallel').filter((name) => PARALLEL.test(name)),
  ...namesIn('sequential').filter((name) => /worker|child|cluster|async|message|http/.test(name)),
  ...namesIn('async-hooks'),
  ...namesIn('module-hooks'),
].filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))

function namesIn(folder) {
  const path = join(sources, 'test', folder)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter((name) => /^test-.*\.m?js$/.test(name))
    .map((name) => join(folder, name))
}

/** The flags that a test names in its first lines. */
function flagsOf(file) {
  const line = /^\/\/ Flags:(.*)$/m.exec(readFileSync(file, 'utf8'))
  return line === null ? [] : line[1].trim().split(/\s+/)
}

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'threadspan-node-tests-'))

/** @returns why it failed; undefined where it passed. */
async function attempt(file, withPreload, slot) {
  const path = join(sources, 'test', file)
  const env = {
    ...process.env,
    NODE_OPTIONS: withPreload ? `--require ${JSON.stringify(preload)}` : '',
    NODE_TEST_CONTEXT: undefined,
    // Ports and folders of its own, as Node's runner gives each of its slots.
    TEST_THREAD_ID: String(slot),
    NODE_TEST_DIR: folder,
    OTEL_TRACES_EXPORTER: 'none',
    // Some compare the headers that are sent with those that were given.
    OTEL_PROPAGATORS: 'none',
  }
  try {
    await run(node, [...flagsOf(path), path], { cwd: sources, env, timeout: PATIENCE, maxBuffer: 1 << 26 })
    return undefined
  } catch (error) {
    const { code, signal, killed, stderr } = error
    const end = killed ? 'not ended in time' : (signal ?? `exit code ${code}`)
    return `${end}\n${String(stderr).trim().split('\n').slice(-12).join('\n')}`
  }
}

async function passes(file, withPreload, slot) {
  let why
  for (let i = 0; i < ATTEMPTS; i++) {
    why = await attempt(file, withPreload, slot)
    if (why === undefined) return undefined
  }
  return why
}

let passed = 0
const broken = []
const queue = [...files]
async function work(slot) {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    // The other way round: what passes with it needs no look without it.
    const why = await attempt(file, true, slot)
    if (why === undefined) {
      passed++
      continue
    }
    if ((await passes(file, false, slot)) !== undefined) continue
    passed++
    const again = await passes(file, true, slot)
    if (again === undefined) continue
    broken.push(file)
    console.log(`✖ ${file}: ${again}\n`)
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, (_, i) => work(i + 1)))
rmSync(folder, { recursive: true, force: true })

console.log(`${files.length} tests; ${passed} pass, of these ${passed - broken.length} with the preload`)
process.exitCode = broken.length > 0 ? 1 : 0
