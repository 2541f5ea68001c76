// Runs the compiled tests with Node's own runner. Node 20 has no glob for `--test`, so the files are listed here.
// Usage: node test/run.js [part of a file name ...]
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const built = join(root, 'build', 'test')
const wanted = process.argv.slice(2)
const files = readdirSync(built, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => relative(root, join(built, file)))
  .sort()
if (files.length === 0) {
  console.error(`No test file matches: ${wanted.join(', ')}`)
  process.exit(1)
}
const { status } = spawnSync(
  process.execPath,
  // No file takes a quarter of an hour: one that waits for what never comes fails, and the others still run.
  ['--test', '--test-reporter=spec', '--test-concurrency=2', '--test-timeout=900000', ...files],
  { cwd: root, stdio: 'inherit' },
)
process.exit(status ?? 1)
