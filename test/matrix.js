// Runs the compiled tests on every supported Node. Each comes from the npm registry, into a folder outside the repository.
// Usage: node test/matrix.js [--node 20,22,24,26] [part of a test file's name ...]
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nodeOf } from './support/nodes.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { values, positionals } = parseArgs({
  options: { node: { type: 'string', default: '20,22,24,26' } },
  allowPositionals: true,
})

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
