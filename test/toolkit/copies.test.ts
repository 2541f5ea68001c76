import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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

it('follows each request once where two installations are preloaded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-'))
  try {
    const other = join(folder, 'register.cjs')
    const file = join(folder, 'spans.jsonl')
    for (const name of ['register.cjs', 'preload.cjs'])
      copyFileSync(join(dirname(PRELOAD), name), join(folder, name))
    const { code, stderr } = await runProgram(fixture('toolkit/request.cjs'), {
      node: ['--require', PRELOAD, '--require', other],
      env: { OTEL_TRACES_EXPORTER: 'file', THREADSPAN_FILE: file },
    })
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
    const names = [...readFileSync(file, 'utf8').matchAll(/"name":"(GET|root)"/g)].map(([, name]) => name)
    assert.deepEqual(names.sort(), ['GET', 'GET', 'root'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
