import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'
import { compile } from './compile.js'

describe('@Offload', () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())

  const run = (program: string, node: string[] = []) =>
    runProgram(program, { node, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } })

  for (const [mode, flags] of Object.entries({ standard: [], legacy: ['--experimentalDecorators'] })) {
    it(`${mode}: runs methods in the worker, typed, and refuses what cannot`, async () => {
      const program = await compile(`offload-${mode}`, 'offload', ['--importHelpers', ...flags])
      for (const node of [[], ['--require', PRELOAD]]) {
        receiver.spans.length = 0
        const { code, stdout, stderr } = await run(program, node)
        assert.deepEqual([code, stdout, stderr], [0, 'ok offload\n', ''])
        const byId = new Map(receiver.spans.map((span) => [span.spanId, span]))
        // The second one is the plain call inside of the worker.
        const [adding, inner] = receiver.named('adding')
        const path = (span: ReceivedSpan | undefined): string[] =>
          span === undefined ? [] : [span.name, ...path(byId.get(span.parentSpanId))]
        assert.deepEqual(path(adding), [
          'adding',
          'run offloaded.Report.total',
          'task offloaded.Report.total',
          'report',
        ])
        assert.deepEqual(path(inner).slice(0, 2), ['adding', 'run offloaded.Report.title'])
      }
    })
  }

  it('a module that fails in the worker is named', async () => {
    const program = await compile('offload-broken', 'offload', ['--importHelpers'])
    const { code, stderr } = await runProgram(program, {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, THREADSPAN_TEST_BROKEN: '1' },
    })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /Report\.total cannot run in the worker: file:.*offload\.js fails there: broken in workers/,
    )
    assert.match(stderr, /code: 'THREADSPAN_OFFLOAD_NOT_FOUND'/)
  })
})
