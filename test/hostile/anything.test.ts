import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('anything, handed to what a program can call', { timeout: 240_000 }, () => {
  it('throws nothing, keeps nothing from crossing, and takes nothing else with it', async () => {
    const receiver = await Receiver.start()
    const values = new URL('../recorder/hostile-values.js', import.meta.url).href
    const { code, stdout, stderr } = await runProgram(fixture('hostile/anything.mjs'), {
      node: ['--require', PRELOAD],
      args: [values, process.env['THREADSPAN_TEST_RUNS'] ?? '300'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_LOGS_EXPORTER: 'otlp',
      },
      timeout: 200_000,
    })
    await receiver.close()
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), { threw: [], baggage: 'good=1' })
    assert.equal(receiver.named('last').length, 1)
    assert.equal(receiver.logs.filter(({ body }) => body === 'beside').length, 1)
    assert.ok(receiver.metrics.at(-1)!.some(({ name }) => name === 'below'))
  })
})
