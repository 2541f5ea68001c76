// What arrives, and what is told, where there is next to no processor: under quotas of a control group, and beside busy loops.
// Usage: node test/hostile/starve.js [--runs N] [--node PATH]
// Needs Linux, taskset, and for the quotas the right to make a control group (version 1 or 2); what cannot be made is left out, and said.
// Exit code 1 when anything was lost without a word.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, startReceiver } from '../deaths/support.js'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '20' }, node: { type: 'string' } },
})
const runs = Number(values.runs)
const binary = values.node ?? process.execPath
const program = join(root, 'test/fixtures/hostile/spans.cjs')
const preload = join(root, 'dist/register.cjs')
const LIVES = ['', '0', '50', '500']
const MADE = 11

/** A control group with `percent` of a processor; undefined where none can be made. */
function makeGroup(percent) {
  const period = 100_000
  for (const [base, files] of [
    ['/sys/fs/cgroup/cpu', { 'cpu.cfs_period_us': period, 'cpu.cfs_quota_us': (percent * period) / 100 }],
    ['/sys/fs/cgroup', { 'cpu.max': `${(percent * period) / 100} ${period}` }],
  ]) {
    const folder = join(base, `threadspan-starve-${process.pid}-${percent}`)
    try {
      mkdirSync(folder)
      for (const [file, value] of Object.entries(files)) writeFileSync(join(folder, file), String(value))
      return folder
    } catch {
      if (existsSync(folder)) rmdirSync(folder)
    }
  }
  return undefined
}

function run(shell, life, endpoint) {
  return new Promise((done) => {
    const child = spawn(
      '/bin/sh',
      ['-c', `${shell} '${binary}' --require '${preload}' '${program}' 10 ${life}`],
      {
        env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let stderr = ''
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.on('close', () => done({ stderr }))
  })
}

async function row(receiver, name, shell) {
  const sums = { runs: 0, arrived: 0, told: 0, silent: 0, twice: 0 }
  for (let i = 0; i < runs; i++) {
    const endpoint = receiver.newRun()
    const { stderr } = await run(shell, LIVES[i % LIVES.length], endpoint)
    const { spans } = await receiver.take(endpoint)
    const ids = new Set(spans.map(({ id }) => id)).size
    const lost = Number(/(\d+) of \d+ spans did not arrive/.exec(stderr)?.[1] ?? 0)
    sums.runs++
    sums.arrived += ids
    sums.told += lost
    sums.twice += spans.length - ids
    if (ids + lost < MADE) sums.silent++
  }
  console.log(name.padEnd(28), JSON.stringify(sums))
  return sums.silent === 0 && sums.twice === 0
}

const receiver = await startReceiver()
let isGood = true
try {
  for (const percent of [3, 5, 10]) {
    const group = makeGroup(percent)
    if (group === undefined) {
      console.log(`no control group can be made: ${percent} % left out`)
      continue
    }
    const shell = `echo $$ > '${group}/cgroup.procs'; exec`
    isGood = (await row(receiver, `${percent} % of a processor`, shell)) && isGood
    rmdirSync(group)
  }
  const busy = []
  for (let i = 0; i < 16; i++)
    busy.push(spawn('taskset', ['-c', '0', process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' }))
  isGood = (await row(receiver, 'beside 16 busy loops', 'exec taskset -c 0')) && isGood
  for (const child of busy) child.kill('SIGKILL')
} finally {
  receiver.close()
}
process.exitCode = isGood ? 0 : 1
