import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { dist } from '../support/dist.js'

const script = (body: string) => `
  const { debug, warnOnce } = await import(${JSON.stringify(dist('core/log.js'))})
  ${body}`
const run = (body: string, env: Record<string, string> = {}, args: string[] = []) =>
  spawnSync(process.execPath, [...args, '--input-type=module', '-e', script(body)], {
    encoding: 'utf8',
    env: { ...process.env, NODE_DEBUG: '', ...env },
  })

test('counts are shared by all copies of the package in a thread', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-copy-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const core = dirname(fileURLToPath(dist('core/counters.js')))
    for (const file of ['counters.js', 'shared.js']) copyFileSync(join(core, file), join(folder, file))
    type Counters = typeof import('../../src/core/counters.js')
    const here = (await import(dist('core/counters.js'))) as Counters
    const copy = (await import(pathToFileURL(join(folder, 'counters.js')).href)) as Counters
    assert.notEqual(copy.count, here.count)
    copy.count('copies')
    here.count('copies', 4)
    assert.equal(here.counters().get('copies'), 5)
    assert.equal(copy.counters().get('copies'), 5)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a warning is given once for each code, as a Node warning that the application can turn off', () => {
  const body = `warnOnce('THREADSPAN_A', 'first'); warnOnce('THREADSPAN_A', 'again'); warnOnce('THREADSPAN_B', 'other')`
  const { stderr, status } = run(body)
  assert.equal(status, 0)
  assert.match(stderr, /\[THREADSPAN_A\] ThreadspanWarning: first/)
  assert.match(stderr, /\[THREADSPAN_B\] ThreadspanWarning: other/)
  assert.doesNotMatch(stderr, /again/)
  assert.equal(run(body, {}, ['--no-warnings']).stderr, '')
})

test('NODE_DEBUG=threadspan shows what happens, and nothing is shown without', () => {
  const body = `debug('followed %s', 'piscina')`
  assert.match(run(body, { NODE_DEBUG: 'threadspan' }).stderr, /^THREADSPAN \d+: followed piscina$/m)
  assert.equal(run(body).stderr, '')
})
