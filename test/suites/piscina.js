// Runs Piscina's own test suite without and with the preload, and compares: what passes without must pass with it.
// Usage: node test/suites/piscina.js [--preload FILE] [--version X.Y.Z]
// Needs npm and the network; everything goes to a temporary folder that is removed at the end.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const installed = createRequire(import.meta.url).resolve('piscina')
const { values } = parseArgs({
  options: {
    preload: { type: 'string', default: join(here, '../../dist/register.cjs') },
    version: {
      type: 'string',
      default: JSON.parse(readFileSync(join(installed, '../../package.json'), 'utf8')).version,
    },
  },
})
const preload = resolve(values.preload)
if (!existsSync(preload)) {
  console.error(`There is no preload at ${preload}. Run \`npm run build\` first.`)
  process.exit(2)
}

/** What the suite's files import besides Node and the package itself. */
const SUITE_DEPENDENCIES = ['tsx', 'abort-controller', 'concat-stream']

/** A test that fails once and passes alone is a matter of timing; one that fails this often is not. */
const ATTEMPTS = 3

function must(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stderr}`)
}

function install(folder) {
  const packed = must('npm', ['pack', '--silent', `piscina@${values.version}`], folder).trim()
  must('tar', ['-xzf', packed], folder)
  const root = join(folder, 'package')
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = SUITE_DEPENDENCIES.map((name) => `${name}@${devDependencies[name]}`)
  must('npm', ['pkg', 'delete', 'devDependencies', 'scripts'], root)
  must('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...wanted], root)
  return root
}

/** Runs test files. @returns outcomes by test. */
function run(root, files, withPreload) {
  const preloads = withPreload ? ['--require', preload, '--require', join(here, 'in-span.cjs')] : []
  const args = [...preloads, '--enable-source-maps', '--import=tsx', '--test', '--test-concurrency=1']
  args.push(`--test-reporter=${join(here, 'reporter.mjs')}`, '--test-reporter-destination=stdout', ...files)
  // The runner's children get no `--require` of its own command line on every version of Node, so it travels in NODE_OPTIONS.
  const NODE_OPTIONS = preloads.map((part) => (part.startsWith('--') ? part : JSON.stringify(part))).join(' ')
  const env = { ...process.env, NODE_OPTIONS, NODE_TEST_CONTEXT: undefined }
  const { stdout, error } = spawnSync(process.execPath, args.slice(preloads.length), {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 600_000,
  })
  if (error) throw error
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"id":'))
  return new Map(lines.map((line) => JSON.parse(line)).map((result) => [result.id, result]))
}

const count = (results, outcome) => [...results.values()].filter((each) => each.outcome === outcome).length
const summary = (results) =>
  ['passed', 'failed', 'skipped'].map((outcome) => `${count(results, outcome)} ${outcome}`).join(', ')

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'threadspan-piscina-'))
try {
  const root = install(folder)
  const files = readdirSync(join(root, 'test'))
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(root, 'test', file))
  const bare = run(root, files, false)
  console.log(`piscina ${values.version}, Node ${process.version}`)
  console.log(`without preload: ${summary(bare)}`)
  const traced = run(root, files, true)
  console.log(`with preload:    ${summary(traced)}`)

  const differing = () => [...bare.values()].filter(({ id, outcome }) => traced.get(id)?.outcome !== outcome)
  for (let attempt = 1; attempt < ATTEMPTS && differing().length > 0; attempt++) {
    const again = [...new Set(differing().map(({ file }) => join(root, 'test', file)))]
    for (const [results, withPreload] of [
      [bare, false],
      [traced, true],
    ]) {
      for (const [id, result] of run(root, again, withPreload)) {
        if (result.outcome === 'passed' || !results.has(id)) results.set(id, result)
      }
    }
  }
  const worse = differing().filter(({ outcome }) => outcome === 'passed')
  for (const { id } of worse) console.log(`  differs: ${id}\n    ${traced.get(id)?.error ?? 'did not run'}`)
  if (count(bare, 'passed') === 0) throw new Error('No test of the suite passes even without the preload')
  console.log(worse.length === 0 ? 'The same tests pass.' : `${worse.length} tests differ.`)
  process.exitCode = worse.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
