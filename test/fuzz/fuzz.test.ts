import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { it } from 'node:test'

it('nothing that others wrote throws, hangs or stays', { timeout: 120_000 }, () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--expose-gc', 'test/fuzz/run.js', '--count', '8000'],
    { encoding: 'utf8' },
  )
  assert.equal(status, 0, stdout)
})
