import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

describe("OpenTelemetry's instrumentation of HTTP beside the preload", () => {
  const run = async (args: string[], env: Record<string, string> = {}) => {
    const { code, stderr } = await runProgram(fixture('sdk/two-agents.cjs'), {
      node: ['--require', PRELOAD],
      args,
      env: { OTEL_TRACES_EXPORTER: 'none', ...env },
    })
    assert.equal(code, 0, stderr)
    return [...stderr.matchAll(/\[THREADSPAN_TWO_AGENTS\].*/g)].map(([line]) => line)
  }

  it('is warned of, once, in words that say what to do', async () => {
    const told = await run([])
    assert.equal(told.length, 1)
    assert.match(
      told[0]!,
      /instrumentation-http is registered beside .* OTEL_NODE_DISABLED_INSTRUMENTATIONS=http$/,
    )
  })

  it('is not where ours is left out, nor where that makes no spans', async () => {
    assert.deepEqual(await run([], { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http' }), [])
    assert.deepEqual(await run(['off']), [])
  })
})
