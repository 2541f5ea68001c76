import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'

interface Row {
  name: string
  isGood: boolean
}

/** The rows that `test/deaths/run.js` gives; see there for what is compared. */
async function rows(...args: string[]): Promise<Row[]> {
  const child = spawn(process.execPath, ['test/deaths/run.js', '--repeat', '1', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  await new Promise((done) => child.on('close', done))
  return (JSON.parse(text) as { rows: Row[] }).rows
}

function assertGood(found: Row[], count: number): void {
  assert.equal(found.length, count)
  for (const row of found) assert.ok(row.isGood, JSON.stringify(row))
}

describe('endings', { timeout: 240_000 }, () => {
  it('of the main thread', async () => {
    const only = [
      'main: natural',
      'main: process.exit()',
      'main: uncaught',
      'main: SIGTERM with a',
      'main: SIGTERM to itself',
      'main: SIGTERM without a listener while it is busy',
      'main: SIGTERM without a listener beside',
      'main: out of memory',
    ]
    assertGood(await rows(...only.flatMap((name) => ['--only', name])), 11)
  })

  it('of a program with a spool, at the next start', async () => {
    assertGood(await rows('--only', 'next:'), 3)
  })

  it('of workers', async () => {
    assertGood(await rows('--only', 'worker:'), 15)
  })

  it('of what was logged', async () => {
    const only = [
      'main: process.exit() after',
      'main: SIGTERM to itself, without',
      'main: SIGTERM without a listener while it is busy',
      'main: uncaught',
      'next: SIGKILL',
      'worker: terminate()',
      'worker: out of memory',
      'child: SIGKILL at once',
      'child: its parent is killed',
      'child: 5,000',
      'pool: a task runs out',
      'run: SIGKILL at once',
    ]
    assertGood(await rows('--logs', ...only.flatMap((name) => ['--only', name])), only.length)
  })

  it('of child processes', async () => {
    const only = [
      'child: SIGKILL',
      'child: 5,000',
      'child: its parent',
      'child: of a child',
      'child: spawnSync',
      'child: from a shell',
      'child: out of memory',
    ]
    assertGood(await rows(...only.flatMap((name) => ['--only', name])), 11)
  })

  it('of pools', async () => {
    assertGood(await rows('--only', 'pool:'), 6)
  })

  it('of a program that is watched', async () => {
    const only = ['run: SIGKILL', 'run: process.abort', 'run: out of memory']
    assertGood(await rows(...only.flatMap((name) => ['--only', name])), 5)
  })

  it('at random moments', async () => {
    assertGood(await rows('--kill', '5', '--terminate', '25'), 2)
  })
})
