import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

const WITH_SPANS = ['rolldown-runtime.cjs', 'second-stage.cjs', 'shared.cjs']
const WITH_PROCESS = [...WITH_SPANS, 'process.cjs'].sort()

/** What a thread has loaded before and after it does something. */
async function parts(what: string, where: string): Promise<[string[], string[]]> {
  const { stdout, stderr } = await runProgram(fixture('runtime/stages.cjs'), {
    node: ['--require', PRELOAD],
    args: [what, where],
    env: { OTEL_TRACES_EXPORTER: 'none' },
  })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

describe('what a thread loads of the package', { concurrency: 2 }, () => {
  for (const where of ['main', 'thread']) {
    const needed = where === 'main' ? WITH_PROCESS : WITH_SPANS
    it(`is the first stage where it does nothing with spans: ${where}`, async () => {
      assert.deepEqual(await parts('nothing', where), [[], []])
    })
    it(`has the adapters of pools with the first pool: ${where}`, async () => {
      assert.deepEqual(await parts('pool', where), [[], ['pools.cjs', ...needed].sort()])
    })
    for (const what of ['api', 'toolkit', 'worker'])
      it(`is the second stage from then on: ${where}, ${what}`, async () => {
        assert.deepEqual(await parts(what, where), [[], needed])
      })
    it(`has what follows children with the first module that can start one: ${where}`, async () => {
      assert.deepEqual(await parts('child', where), [[], ['children.cjs', ...needed].sort()])
    })
    // pg makes Node load its HTTP as well.
    for (const what of ['mysql2', 'ioredis', 'redis', 'postgres', 'mariadb'])
      it(`has what follows databases from then on: ${where}, ${what}`, async () => {
        assert.deepEqual(await parts(what, where), [[], ['databases.cjs', ...needed].sort()])
      })
    it(`has what follows SQLite from then on: ${where}`, async () => {
      assert.deepEqual(await parts('node-sqlite3-wasm', where), [[], ['sqlite.cjs', ...needed].sort()])
    })
    for (const what of ['http', 'http2', 'fetch', 'undici', 'express'])
      it(`has the instrumentations from then on: ${where}, ${what}`, async () => {
        assert.deepEqual(await parts(what, where), [[], ['instrumentation.cjs', ...needed].sort()])
      })
    for (const what of ['hono', 'graphql'])
      it(`has what follows frameworks on HTTP from then on: ${where}, ${what}`, async () => {
        const expected = ['frameworks.cjs', 'instrumentation.cjs', ...needed].sort()
        assert.deepEqual(await parts(what, where), [[], expected])
      })
  }

  it('is the first stage in a Worker that gets messages without a context', async () => {
    assert.deepEqual(await parts('message', 'thread'), [[], []])
  })

  it('is the second stage from the first message of a span on', async () => {
    assert.deepEqual(await parts('message', 'context'), [[], WITH_SPANS])
  })
})

describe('a thread that has put the second stage off', () => {
  const run = async (code: string, node: string[] = []) => {
    const receiver = await Receiver.start()
    const folder = mkdtempSync(join(tmpdir(), 'threadspan stages '))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    const file = join(folder, 'program.cjs')
    writeFileSync(file, code)
    try {
      const result = await runProgram(file, {
        node: ['--require', PRELOAD, ...node],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
      })
      return { ...result, spans: receiver.spans }
    } finally {
      await receiver.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const SPAN = `const { trace } = require('@opentelemetry/api'); trace.getTracer('app').startSpan('made').end();`

  it('loses nothing to a kill that was taken from process before', async () => {
    const { signal, spans } = await run(`const { kill, pid } = process; ${SPAN} kill(pid, 'SIGKILL')`)
    assert.deepEqual([signal, spans.map(({ name }) => name)], ['SIGKILL', ['made']])
  })

  it('does not need what it has loaded to stay in the cache of `require`', async () => {
    const { spans } = await run(
      `for (const file in require.cache) delete require.cache[file]
      require('node:http')
      ${SPAN}`,
    )
    assert.deepEqual(
      spans.map(({ name }) => name),
      ['made'],
    )
  })

  it('reads the environment as it was at the start', async () => {
    const { spans } = await run(
      `process.env.OTEL_SDK_DISABLED = 'true'
      process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:9'
      process.argv[1] = '/nowhere.js'
      ${SPAN}`,
    )
    assert.deepEqual(
      spans.map(({ name }) => name),
      ['made'],
    )
  })

  it('works where code may not be made of text', async () => {
    const { code, spans } = await run(SPAN, ['--disallow-code-generation-from-strings'])
    assert.deepEqual([code, spans.length], [0, 1])
  })

  it('leaves what it put in place of others as it found it', async () => {
    const { stdout } = await run(
      `const before = [process.emit === Object.getPrototypeOf(process).emit, Object.hasOwn(process, 'emit')]
      const { _load } = require('node:module')
      console.log(JSON.stringify([...before, _load.name, _load.length, require('node:diagnostics_channel').channel.name]))`,
    )
    assert.deepEqual(JSON.parse(stdout), [true, false, '', 3, 'channel'])
  })

  it('lets the program run where the package is gone when it is needed, and says so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan gone '))
    cpSync(dirname(PRELOAD), join(folder, 'dist'), { recursive: true })
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    const file = join(folder, 'program.cjs')
    writeFileSync(
      file,
      `require('node:fs').rmSync(${JSON.stringify(join(folder, 'dist'))}, { recursive: true })
      ${SPAN}
      new (require('node:worker_threads').Worker)('console.log("worker")', { eval: true, execArgv: [] })`,
    )
    const { code, stdout, stderr } = await runProgram(file, {
      node: ['--require', join(folder, 'dist', 'register.cjs')],
    })
    rmSync(folder, { recursive: true, force: true })
    assert.deepEqual([code, stdout], [0, 'worker\n'], stderr)
    assert.match(stderr, /\[THREADSPAN_PRELOAD\] ThreadspanWarning: Nothing is traced in this thread/)
  })
})
