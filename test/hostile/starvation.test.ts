/**
 * Where the telemetry thread does not get to run, or cannot: spans arrive by another way, or their loss is told. `npm run test:starvation` does the same
 * under quotas and beside busy loops, which would starve other tests.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

const folder = mkdtempSync(join(tmpdir(), 'threadspan test starvation '))
after(() => rmSync(folder, { recursive: true, force: true }))

const program = fixture('hostile/spans.cjs')

describe('a telemetry thread that does not get to run', { timeout: 120_000 }, () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())

  const traced = (env: Record<string, string> = {}) => ({
    node: ['--require', PRELOAD],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
    timeout: 20_000,
  })

  /** What a run of the program must come to: all has arrived, once, or the rest was told. */
  async function assertTold(made: number, run: () => Promise<{ stderr: string }>) {
    receiver.spans.length = 0
    const { stderr } = await run()
    const lost = lossesIn(stderr)?.lost ?? 0
    const arrived = new Set(receiver.spans.map(({ spanId }) => spanId)).size
    assert.equal(arrived, receiver.spans.length, 'none twice')
    // What was on its way when the time was over may have arrived nevertheless.
    assert.ok(arrived + lost >= made && Math.max(arrived, lost) <= made, `${arrived} arrived, ${stderr}`)
  }

  it('needs none where the program ends at once: its main thread delivers', async () => {
    receiver.spans.length = 0
    const addresses = ['http://127.0.0.1', 'http://localhost']
    for (const address of addresses) {
      const endpoint = receiver.endpoint.replace('http://127.0.0.1', address)
      for (const OTEL_EXPORTER_OTLP_COMPRESSION of ['none', 'gzip']) {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_COMPRESSION }
        const { stderr } = await runProgram(program, { ...traced(env), args: ['10'] })
        assert.equal(stderr, '')
      }
    }
    assert.equal(receiver.spans.length, 44)
    const open = receiver.named('open')
    assert.ok(
      open.every(({ attributes }) => attributes['threadspan.closed'] === 'process exited with code 0'),
    )
  })

  for (const limit of ['0', '1', '20', '60'])
    it(`loses nothing without a word within ${limit} ms`, async () => {
      for (const args of [['10'], ['10', '30'], ['3000', '5']])
        await assertTold(Number(args[0]) + 1, () =>
          runProgram(program, { ...traced({ THREADSPAN_EXIT_TIMEOUT: limit }), args }),
        )
      const file = join(folder, `${limit}.jsonl`)
      const env = {
        OTEL_TRACES_EXPORTER: 'file',
        THREADSPAN_FILE: file,
        THREADSPAN_EXIT_TIMEOUT: limit,
      }
      const { stderr } = await runProgram(program, { ...traced(env), args: ['1'] })
      const isTold = lossesIn(stderr)?.lost === 2
      assert.ok(isTold || readFileSync(file, 'utf8').includes('"span 0"'), stderr)
    })

  it('tells of spans whose server says nothing, once, and in time', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    for (const [FROZEN, ...args] of [
      ['no', '10'],
      ['yes', '10'],
      ['no', '10', '100'],
    ] as const) {
      const env = {
        FROZEN,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        THREADSPAN_EXIT_TIMEOUT: '300',
      }
      const { stderr } = await runProgram(program, { ...traced(env), args })
      assert.deepEqual(lossesIn(stderr), { lost: 11, made: 11, causes: { timeout: 11 } }, stderr)
      assert.equal(stderr.match(/THREADSPAN_DROPPED/g)?.length, 1)
    }
    silent.close()
  })

  it('says nothing where nothing is to be said', async () => {
    const env = { OTEL_LOG_LEVEL: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }
    const { stderr } = await runProgram(program, {
      ...traced({ ...env, THREADSPAN_EXIT_TIMEOUT: '1' }),
      args: ['5'],
    })
    assert.equal(stderr, '')
  })
})

describe('a telemetry thread that cannot be started', { timeout: 60_000 }, () => {
  it('is not waited for: a flush ends, and the main thread delivers at the end', async () => {
    const receiver = await Receiver.start()
    try {
      const { stdout, stderr } = await runProgram(fixture('hostile/no-folder.cjs'), {
        node: ['--require', PRELOAD],
        args: [join(dirname(PRELOAD), 'index.js')],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
        timeout: 15_000,
      })
      assert.equal(stdout, 'flushed\n', stderr)
      assert.equal(receiver.spans.filter(({ scope }) => scope === 'app').length, 10, stderr)
      assert.equal(lossesIn(stderr), undefined)
    } finally {
      receiver.close()
    }
  })
})
