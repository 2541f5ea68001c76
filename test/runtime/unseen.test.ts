import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('a program that is traced', () => {
  it('hears of its own Workers alone, not of the telemetry thread, and has no streams made for that', async () => {
    const receiver = await Receiver.start()
    try {
      const { stdout, stderr } = await runProgram(fixture('runtime/worker-heard.cjs'), {
        node: ['--require', PRELOAD],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
      })
      assert.equal(stderr, '')
      assert.deepEqual(JSON.parse(stdout), { channel: 2, event: 2, pipes: 0 })
      assert.equal(receiver.spans.length, 1)
    } finally {
      await receiver.close()
    }
  })

  for (const what of ['process', 'iterator'])
    it(`may replace what the language and Node have as globals: ${what}`, async () => {
      const outcome = await runProgram(fixture('runtime/tampered.cjs'), {
        node: ['--require', PRELOAD],
        args: [what],
        env: { OTEL_TRACES_EXPORTER: 'none' },
      })
      assert.deepEqual(outcome, { code: 0, signal: null, stdout: 'after\n', stderr: '' })
    })
})
