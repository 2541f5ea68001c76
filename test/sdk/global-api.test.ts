/** An application registers what is its own, over what the preload has registered. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

interface Outcome {
  registered: boolean[]
  recording: boolean[]
  made: string[]
  errors: string[]
  fields: string[][]
  meters: boolean[]
  contexts: boolean[]
}

async function run(api: string, ...steps: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await runProgram(fixture('sdk/registrations.cjs'), {
    node: ['--require', PRELOAD],
    args: [api, ...steps],
    env: { OTEL_TRACES_EXPORTER: 'none' },
  })
  assert.deepEqual([code, stderr], [0, ''])
  return JSON.parse(stdout) as Outcome
}

const OWN_FIELDS = ['traceparent', 'tracestate', 'baggage']

for (const api of ['@opentelemetry/api', '@opentelemetry/api-bundled']) {
  describe(`an application registers through ${api}`, () => {
    it('nothing: all is ours, for each copy of the API', async () => {
      const { recording, fields, made } = await run(api)
      assert.deepEqual(recording, [true, true])
      assert.deepEqual(fields, [OWN_FIELDS, OWN_FIELDS])
      assert.deepEqual(made, [])
    })

    it('all: nothing is refused or logged, and each copy sees what the application registered', async () => {
      const outcome = await run(api, 'trace', 'propagation', 'context', 'metrics')
      assert.deepEqual(outcome.registered, [true, true, true, true])
      assert.deepEqual(outcome.errors, [])
      assert.deepEqual(outcome.recording, [false, false])
      assert.deepEqual(outcome.fields, [['of-the-application'], ['of-the-application']])
      assert.deepEqual(outcome.meters, [true, true])
      assert.deepEqual(outcome.contexts, [true, true])
    })

    it('its provider: tracers from before that make their spans there, under their own names', async () => {
      const { made } = await run(api, 'trace')
      assert.deepEqual(made, ['first: now@2 a', 'first: now@2 a', 'first: early@1 b', 'first: early@1 b'])
    })

    it('a context manager only: our provider stays', async () => {
      const { registered, contexts, recording, fields } = await run(api, 'context')
      assert.deepEqual(registered, [true])
      assert.deepEqual(contexts, [true, true])
      assert.deepEqual(recording, [true, true])
      assert.deepEqual(fields, [OWN_FIELDS, OWN_FIELDS])
    })

    it('two providers: the second is refused and logged, as without us', async () => {
      const { registered, errors, made } = await run(api, 'trace', 'again')
      assert.deepEqual(registered, [true, false])
      assert.deepEqual(errors, ['Error: @opentelemetry/api: Attempted duplicate registration of API: trace'])
      assert.ok(made.every((line) => line.startsWith('first')))
    })

    it('disables tracing and registers anew', async () => {
      const { registered, errors, made } = await run(api, 'trace', 'disable', 'again')
      assert.deepEqual(registered, [true, null, true])
      assert.deepEqual(errors, [])
      assert.deepEqual(made.slice(0, 2), ['second: now@2 a', 'second: now@2 a'])
    })

    it('disables ours first', async () => {
      const { registered, errors, made, recording } = await run(api, 'disable', 'context', 'again')
      assert.deepEqual(registered, [null, true, true])
      assert.deepEqual(errors, [])
      assert.deepEqual(recording, [false, false])
      assert.equal(made.filter((line) => line.startsWith('second')).length, 4)
    })

    it('after throwing away all that was registered', async () => {
      const { registered, errors } = await run(api, 'reset', 'trace', 'context')
      assert.deepEqual(registered, [null, true, true])
      assert.deepEqual(errors, [])
    })
  })
}

describe('an application with an older API inside a bundle', () => {
  it('is refused as ever, keeps our recorder, and is told why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-api-'))
    try {
      // Without its package.json nobody can tell the version, as in a bundle.
      cpSync('node_modules/@opentelemetry/api/build/src', folder, { recursive: true })
      const { code, stdout, stderr } = await runProgram(fixture('sdk/registrations.cjs'), {
        node: ['--require', PRELOAD],
        args: [join(folder, 'index.js'), 'trace', 'context'],
        env: { OTEL_TRACES_EXPORTER: 'none' },
      })
      assert.equal(code, 0)
      const { registered, recording, made } = JSON.parse(stdout) as Outcome
      assert.deepEqual(registered, [false, false])
      assert.deepEqual(recording, [true, true])
      assert.deepEqual(made, [])
      assert.equal(stderr.match(/\[THREADSPAN_SDK_REFUSED\]/g)?.length, 1, stderr)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
