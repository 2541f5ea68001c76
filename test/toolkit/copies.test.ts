import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

it('knows what another copy of the package made in the same thread', async () => {
  const { code, stdout, stderr } = await runProgram(fixture('toolkit/copies.mjs'), {
    node: ['--require', PRELOAD],
    args: [dirname(PRELOAD)],
    env: { OTEL_TRACES_EXPORTER: 'none' },
  })
  assert.equal(code, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), [])
})
