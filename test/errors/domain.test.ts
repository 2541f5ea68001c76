import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('errors that are followed by domains', () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const run = (file: string, args: string[], env: Record<string, string> = {}, node: string[] = []) =>
    runProgram(fixture(`errors/${file}`), {
      node: ['--require', fixture('errors/count-hooks.cjs'), ...node],
      args,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
    })
  const told = () => receiver.spans.filter(({ events }) => events.some(({ name }) => name === 'exception'))

  it('off: no hook is made, and an error without a context is of no span', async () => {
    const { code, stdout, stderr } = await run('domain.mjs', [])
    assert.equal(stdout, '{"hooks":0,"listeners":0,"captured":false} true\n')
    assert.equal(code, 1)
    assert.match(stderr, /RangeError: out of context/)
    assert.deepEqual(told(), [])
  })

  it('off, with the preload, in main and worker: no hook is made', async () => {
    const { stdout } = await runProgram(fixture('errors/hooks.cjs'), {
      node: ['--require', fixture('errors/count-hooks.cjs'), '--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
    assert.equal(stdout, 'main 0\nworker 0\n')
  })

  for (const [name, args, env] of [
    ['one transaction', ['{"errors":"domain"}'], {}],
    ['all of the process', [], { THREADSPAN_ERRORS: 'domain' }],
  ] as const) {
    it(`${name}: such an error is told on its transaction, and process is as ever`, async () => {
      const off = await run('domain.mjs', [])
      receiver.spans.length = 0
      const { code, stdout, stderr } = await run('domain.mjs', [...args], env)
      assert.match(stdout, /^\{"hooks":[1-9],"listeners":0,"captured":false\} true\n$/)
      assert.deepEqual([code, stderr], [off.code, off.stderr])
      const [losing] = receiver.named('losing')
      assert.deepEqual(
        told().map(({ parentSpanId, name: text }) => [text, parentSpanId]),
        [['error RangeError', losing!.spanId]],
      )
    })
  }

  for (const mode of ['throw', 'strict', 'warn', 'none', 'warn-with-error-code']) {
    for (const errors of ['context', 'domain']) {
      it(`--unhandled-rejections=${mode}, ${errors}: once, and the program ends as without`, async () => {
        const flag = [`--unhandled-rejections=${mode}`]
        const env = { THREADSPAN_ERRORS: errors }
        const plain = await run('lose.cjs', ['floating'], {}, [
          ...flag,
          '--require',
          fixture('errors/storage.cjs'),
        ])
        const { code, stderr } = await run('lose.cjs', ['floating'], env, [...flag, '--require', PRELOAD])
        const pids = /\(node:\d+\)/g
        assert.deepEqual([code, stderr.replace(pids, '')], [plain.code, plain.stderr.replace(pids, '')])
        assert.equal(told().length, 1)
      })
    }
  }

  it('a program that handles its stray errors still does, and they are told', async () => {
    for (const errors of ['context', 'domain']) {
      receiver.spans.length = 0
      const { code, stdout, stderr } = await run('handles.cjs', [], { THREADSPAN_ERRORS: errors }, [
        '--require',
        PRELOAD,
      ])
      assert.deepEqual([code, stdout, stderr], [0, 'exception one\nrejection two\n', ''])
      assert.equal(told().length, 2)
    }
  })
})
