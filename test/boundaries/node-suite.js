// Runs Node's own tests without and with a preload, and tells every difference. The tests come from a checkout of nodejs/node at the
// branch of the Node that runs this (`git clone --depth 1 --branch v20.x https://github.com/nodejs/node`).
// Usage: node test/boundaries/node-suite.js <checkout> [preload = dist/register.cjs] [pattern of file names]
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const STANDARD =
  '^test-(worker|child-process|cluster|async-hooks|async-local-storage|async-wrap|preload|require-resolve)'
const [checkout, preload = 'dist/register.cjs', pattern = STANDARD] = process.argv.slice(2)
if (checkout === undefined) {
  console.error('Usage: node test/boundaries/node-suite.js <checkout of nodejs/node> [preload] [pattern]')
  process.exit(1)
}
const LIMIT_MS = 60_000
const CONCURRENCY = 2
const wanted = new RegExp(pattern)
const isTest = (name) => /^test-.*\.m?js$/.test(name)
const list = (folder, accept) =>
  readdirSync(join(checkout, 'test', folder))
    .filter((name) => isTest(name) && accept(name))
    .map((name) => join(folder, name))
const tests = [
  ...list('parallel', (name) => wanted.test(name)),
  ...list('async-hooks', (name) => pattern === STANDARD || wanted.test(name)),
].sort()

const flagsOf = (file) =>
  /^\/\/ Flags:\s*(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1].trim().split(/\s+/) ?? []

/** Passed is what Node's own runner takes for it: status 0. What a test prints is compared where both pass. */
function run(test, before, id) {
  return new Promise((done) => {
    const file = resolve(checkout, 'test', test)
    const dir = join(tmpdir(), `node-suite-${process.pid}-${id}`)
    mkdirSync(dir, { recursive: true })
    const env = { ...process.env, NODE_TEST_DIR: dir, TEST_THREAD_ID: String(id), TEST_SERIAL_ID: String(id) }
    delete env['NODE_OPTIONS']
    const child = spawn(process.execPath, [...before, ...flagsOf(file), file], {
      env,
      cwd: resolve(checkout),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    const end = (status) => {
      clearTimeout(timer)
      rmSync(dir, { recursive: true, force: true })
      done({ status, output })
    }
    const timer = setTimeout(() => {
      process.kill(-child.pid, 'SIGKILL')
    }, LIMIT_MS)
    child.on('exit', (code, signal) => setTimeout(end, 20, code ?? signal))
  })
}

const counts = { both: 0, neither: 0, onlyWithout: [], onlyWith: [] }
let next = 0
await Promise.all(
  Array.from({ length: CONCURRENCY }, async (_, id) => {
    while (next < tests.length) {
      const test = tests[next++]
      const attempt = async () => {
        const without = await run(test, [], id)
        const withIt = await run(test, ['--require', resolve(preload)], id)
        return { without, withIt }
      }
      let { without, withIt } = await attempt()
      // A test that is not sure of itself shows one: differences are looked at twice more.
      for (let again = 0; again < 2 && (without.status === 0) !== (withIt.status === 0); again++) {
        ;({ without, withIt } = await attempt())
      }
      if (without.status === 0 && withIt.status === 0) counts.both++
      else if (without.status !== 0 && withIt.status !== 0) counts.neither++
      else if (without.status === 0) {
        counts.onlyWithout.push(test)
        console.log(`--- ${test} passes only without (${withIt.status})\n${withIt.output.slice(0, 3000)}`)
      } else {
        counts.onlyWith.push(test)
        console.log(`--- ${test} passes only with (${without.status})\n${without.output.slice(0, 1000)}`)
      }
    }
  }),
)
console.log(
  `Node ${process.version}, ${tests.length} tests: ${counts.both} pass both ways, ${counts.neither} fail both ways, ` +
    `${counts.onlyWithout.length} pass only without the preload, ${counts.onlyWith.length} only with it.`,
)
process.exitCode = counts.onlyWithout.length > 0 ? 1 : 0
