// Runs the compiled tests on every supported Node. Each comes from the npm registry, into a folder outside the repository.
// Usage: node test/matrix.js [--node 20,22,24,26] [part of a test file's name ...]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { values, positionals } = parseArgs({
  options: { node: { type: 'string', default: '20,22,24,26' } },
  allowPositionals: true,
})

/** The path of a Node of that major version. */
function nodeOf(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(tmpdir(), 'threadspan-matrix', major)
  const binary = join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${major}`]
    const { status } = spawnSync('npm', ['--prefix', folder, ...args], { stdio: 'inherit' })
    if (status !== 0) throw new Error(`Node ${major} could not be installed`)
  }
  return binary
}

const failed = []
for (const major of values.node.split(',')) {
  const node = nodeOf(major)
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  console.log(`\n# Node ${stdout.trim()}`)
  const path = `${dirname(node)}:${process.env.PATH}`
  const { status } = spawnSync(node, ['test/run.js', ...positionals], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  })
  if (status !== 0) failed.push(stdout.trim())
}
if (failed.length > 0) {
  console.error(`\nFailed on ${failed.join(', ')}`)
  process.exit(1)
}
