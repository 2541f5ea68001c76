// Every figure of docs/performance.md, each beside its peer's in the same run.
// Usage: npm run bench [-- --only NAME] [--quick] [--json]
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, type } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const NAMES = [
  'pool-task',
  'span',
  'worker-start',
  'snapshot',
  'domains',
  'loop-delay',
  'start-end',
  'http-request',
  'pg-statement',
  'metrics',
  'log-line',
]

function installPeers() {
  if (existsSync(join(here, 'node_modules'))) return
  console.error('installing the peers that bench/package.json names ...')
  const { status } = spawnSync(
    'npm',
    ['ci', '--prefix', here, '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    },
  )
  if (status !== 0) throw new Error('the peers could not be installed')
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const unknown = values.only?.find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw new Error(`no measure is called ${unknown}; there are ${NAMES.join(', ')}`)
  return { ...values, names: NAMES.filter((name) => values.only?.includes(name) ?? true) }
}

const figureOf = (value) =>
  value >= 1000
    ? Math.round(value).toLocaleString('en')
    : value >= 100
      ? value.toFixed(0)
      : value.toFixed(value >= 10 ? 1 : 2)
const signed = (value) => `${value < 0 ? '-' : '+'}${figureOf(Math.abs(value))}`

/** One cell of a table: a share of spans, a ratio, a difference, or a plain figure. */
function cell(column, value, unit) {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (column === 'delivered') return `${(value * 100).toFixed(value === 1 ? 0 : 1)} %`
  if (column.startsWith('ratio')) return `${value.toFixed(2)} x`
  if (column.startsWith('more than')) return `${signed(value)} ${unit}`
  return `${figureOf(value)} ${unit}`
}

function table({ title, unit, rows, targets }) {
  const columns = [...new Set(rows.flatMap(Object.keys))]
  const cells = rows.map((row) => columns.map((column) => cell(column, row[column], unit)))
  const heads = columns.map((column) =>
    column === 'variant' ? title : column === 'value' ? 'median' : column,
  )
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i].length)))
  const line = (row) =>
    `| ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(heads), rule, ...cells.map(line), '', ...targets.map(verdict), ''].join('\n')
}

function verdict({ text, figure, limit, isLeast = false }) {
  const isReached = isLeast ? figure >= limit : figure <= limit
  return `Target: ${text}. ${isReached ? 'Reached' : 'Not reached'}: ${figure.toPrecision(3)}.`
}

function machine() {
  const { version } = JSON.parse(readFileSync(join(here, '../package.json'), 'utf8'))
  const { model = 'unknown processor' } = cpus()[0] ?? {}
  return {
    node: process.version,
    threadspan: version,
    system: `${type()} ${release()}`,
    processor: model,
    cores: availableParallelism(),
  }
}

const { names, quick, json } = readArguments()
installPeers()
const { canPin } = await import('./harness.js')
const about = { ...machine(), pinned: canPin }
const reports = []
if (!json) {
  console.log(`Node ${about.node}, ${about.cores} cores, ${about.processor}, ${about.system}`)
  if (!canPin)
    console.log('No taskset here: nothing is pinned to one core, and (a), (c) and (e) are noisier.')
  console.log('')
}
for (const name of names) {
  const { measure } = await import(`./measures/${name}.js`)
  for (const report of [await measure({ quick })].flat()) {
    reports.push({ name, ...report })
    if (!json) console.log(table(report))
  }
}
if (json) console.log(JSON.stringify({ ...about, quick, reports }, null, 2))
