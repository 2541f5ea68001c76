// What a backend gets of one and the same program under OpenTelemetry's SDK with its automatic instrumentations, and under this package:
// writes both into test/fixtures/backends/fields.json, and the differences into docs/backends.md.
// Usage: node test/suites/backends.js
// Needs npm and the network; what is installed goes to a temporary folder that is removed at the end.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fieldsOf } from '../support/backends.js'
import { BEGIN, differencesOf, END, textOf } from '../support/backends-table.js'
import { nodeOf } from '../support/nodes.js'
import { must } from './package-support.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = join(root, 'test', 'fixtures', 'backends')
const node = '24'
const AUTO = '@opentelemetry/auto-instrumentations-node'

const folder = mkdtempSync(join(tmpdir(), 'threadspan-backends-'))
try {
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'shop', version: '1.0.0', private: true }),
  )
  const wanted = [AUTO, '@opentelemetry/api', 'express@5.1.0']
  must('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...wanted], folder)
  for (const file of ['shop.cjs', 'work.cjs']) copyFileSync(join(fixtures, file), join(folder, file))
  const versionOf = (name) =>
    JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
  const program = join(folder, 'shop.cjs')
  const execPath = nodeOf(node)
  const golden = {
    made: { node, packages: [AUTO, 'express'].map((name) => `${name} ${versionOf(name)}`) },
    opentelemetry: await fieldsOf(program, {
      execPath,
      execArgv: ['--require', `${AUTO}/register`],
      // Those of clouds ask the network.
      env: { OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process,serviceinstance' },
    }),
    threadspan: await fieldsOf(program, {
      execPath,
      execArgv: ['--require', join(root, 'dist', 'register.cjs')],
      env: {},
    }),
  }
  // Spans that it alone has differ from run to run in who is above them.
  for (const span of Object.keys(golden.opentelemetry))
    if (golden.threadspan[span] === undefined) golden.opentelemetry[span] = {}
  writeFileSync(join(fixtures, 'fields.json'), `${JSON.stringify(golden, null, 2)}\n`)
  const page = join(root, 'docs', 'backends.md')
  const text = readFileSync(page, 'utf8')
  const [before, rest] = text.split(BEGIN)
  writeFileSync(page, `${before}${BEGIN}\n${textOf(golden)}\n${END}${rest.split(END)[1]}`)
  console.log(`${differencesOf(golden).length} differences, each with its reason`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
