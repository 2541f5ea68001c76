import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

const run = (env: Record<string, string>) =>
  runProgram(fixture('e2e/pool.cjs'), { node: ['--require', PRELOAD], args: ['3', 'destroy'], env })

describe('bad input from outside', () => {
  it('an endpoint that cannot be reached: one warning, the loss counted, the exit not held up', async () => {
    const { code, stdout, stderr } = await run({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      THREADSPAN_EXIT_TIMEOUT: '300',
    })
    assert.deepEqual([code, stdout], [0, 'done\n'])
    const lines = stderr.trim().split('\n')
    assert.equal(lines.length, 2, stderr)
    assert.match(lines[0]!, /^threadspan: .*127\.0\.0\.1:9.*\(THREADSPAN_EXPORT_UNREACHABLE\)$/)
    // The last attempt may have been refused by then, or may still be under way; the count is exact either way.
    assert.match(
      lines[1]!,
      /^threadspan: 10 of 10 spans did not arrive: (endpoint|timeout) 10 \(THREADSPAN_DROPPED\)$/,
    )
  })

  for (const [variable, value] of [
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '-1'],
    ['OTEL_PROPAGATORS', 'pigeon'],
  ] as const) {
    it(`${variable}=${value}: one warning that names it, and the default holds`, async () => {
      const receiver = await Receiver.start()
      const { code, stdout, stderr } = await run({
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        [variable]: value,
      })
      await receiver.close()
      assert.deepEqual([code, stdout], [0, 'done\n'])
      assert.match(stderr, new RegExp(`^threadspan: ${variable}.*\\(THREADSPAN_ENV_[A-Z]+\\)\\n$`))
      assert.equal(receiver.named('work').length, 3)
    })
  }

  for (const [variable, value] of [
    ['TRACEPARENT', '00-not-a-traceparent'],
    ['TRACEPARENT', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`],
    ['TRACESTATE', '=,=;;'],
    ['BAGGAGE', '%%%,='.repeat(5000)],
    ['THREADSPAN_LINK', '/nowhere/at/all'],
    ['THREADSPAN_ANCHOR', '99999999999999999999999'],
    ['THREADSPAN_VALUES', '{{{'],
    ['THREADSPAN_ENVIRONMENT', '"x"'],
  ] as const) {
    it(`${variable}=${value.slice(0, 30)}: ignored, and everything arrives under a trace of its own`, async () => {
      const receiver = await Receiver.start()
      const { code, stdout, stderr } = await run({
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        [variable]: value,
      })
      await receiver.close()
      assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])
      const [request] = receiver.named('request')
      assert.equal(request!.parentSpanId, '')
      assert.equal(receiver.spans.length, 10)
    })
  }

  it('a good TRACEPARENT in the environment is gone on with', async () => {
    const receiver = await Receiver.start()
    const traceId = 'ab'.repeat(16)
    await run({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      TRACEPARENT: `00-${traceId}-${'cd'.repeat(8)}-01`,
    })
    await receiver.close()
    const [request] = receiver.named('request')
    assert.deepEqual([request!.traceId, request!.parentSpanId], [traceId, 'cd'.repeat(8)])
    assert.equal(request!.flags & 0x300, 0x300)
    assert.equal(receiver.spans.length, 10)
  })

  it('OTEL_SDK_DISABLED: nothing is sent', async () => {
    const receiver = await Receiver.start()
    const { code, stderr } = await run({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_SDK_DISABLED: 'true',
    })
    await receiver.close()
    assert.deepEqual([code, stderr, receiver.requests], [0, '', 0])
  })
})
