import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

describe('messages', () => {
  it('are handled in the context of whoever sent them, and in none where there was none', async () => {
    const { code, stdout, stderr } = await runProgram(fixture('boundaries/messages.mjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_TRACES_EXPORTER: 'file', THREADSPAN_FILE: '/dev/null' },
    })
    assert.deepEqual([code, stderr], [0, ''])
    const { worker, fork } = JSON.parse(stdout) as Record<'worker' | 'fork', string[][]>
    assert.deepEqual(fork, [['own'], ['none'], ['own'], ['own', 'own']])
    const [first, none, refused, awaited, many, afterMany, read, afterRead] = worker
    for (const answer of [first, refused, awaited, afterMany, read, afterRead])
      assert.deepEqual(new Set(answer), new Set(['own']))
    assert.ok(!none!.includes('MAKER') && none![0] === 'none')
    assert.ok(!many!.includes('OTHER'))
  })

  it('that come back run listeners where those were added, not where the Worker or child was made', async () => {
    const { code, stdout, stderr } = await runProgram(fixture('boundaries/answers.mjs'), {
      node: ['--require', PRELOAD],
      env: { OTEL_TRACES_EXPORTER: 'file', THREADSPAN_FILE: '/dev/null' },
    })
    assert.deepEqual([code, stderr], [0, ''])
    // Each request hears of those answers too that come before its own.
    const asExpected = { inside: [9, true], outside: true, listeners: 1 }
    assert.deepEqual(JSON.parse(stdout), { worker: asExpected, fork: asExpected })
  })
})
