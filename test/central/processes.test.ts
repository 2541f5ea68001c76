import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { AppliedSettings } from '#dist/collector/applied-settings.js'
import { describeCrossed, describeException } from '#dist/exceptions/exception.js'
import { CONTROL_BYTES } from '#dist/ring/layout.js'
import { followSettings } from '#dist/runtime/live-settings.js'
import type { Recorder } from '../../src/recorder/recorder.js'
import { dist } from '../support/dist.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { OpampServer, until } from './support.js'

describe('settings from afar', () => {
  let server: OpampServer
  let folder: string
  before(async () => {
    server = await OpampServer.start()
    folder = mkdtempSync(join(tmpdir(), 'threadspan-central-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await server.close()
  })
  const env = (): Record<string, string> => ({
    ELASTIC_OTEL_OPAMP_ENDPOINT: server.endpoint,
    ELASTIC_OTEL_EXPERIMENTAL_OPAMP_HEARTBEAT_INTERVAL: '200',
    OTEL_TRACES_EXPORTER: 'file',
    THREADSPAN_FILE: join(folder, 'spans.jsonl'),
  })

  it('hold in a program under threadspan run', async () => {
    void server.offer({ sampling_rate: 0 })
    const { code, stdout, stderr } = await runProgram(resolve('dist/cli/main.js'), {
      args: ['run', fixture('central/until.cjs'), '0'],
      env: env(),
    })
    assert.deepEqual([code, stdout.trim().split('\n')[0]], [0, 'followed'], stderr)
  })

  it('hold in Workers that join without the preload', async () => {
    void server.offer({ sampling_rate: 0 })
    const { code, stdout, stderr } = await runProgram(fixture('central/by-hand.mjs'), { env: env() })
    assert.deepEqual([code, stdout.trim()], [0, 'followed'], stderr)
  })

  it('are asked for by a child that has outlived the process that exported', async () => {
    await server.close()
    server = await OpampServer.start()
    const file = join(folder, 'heir')
    const parent = spawn(process.execPath, ['--require', PRELOAD, fixture('central/parent.cjs'), file], {
      env: { ...process.env, ...env() },
      stdio: 'ignore',
    })
    const said = () => {
      try {
        return readFileSync(file, 'utf8').trim().split('\n')
      } catch {
        return []
      }
    }
    const agents = () =>
      new Set(server.messages.map(({ instanceUid }) => Buffer.from(instanceUid).toString('hex')))
    await until(() => said().length > 3 && agents().size === 1)
    parent.kill('SIGKILL')
    await until(() => agents().size === 2)
    await server.offer({ sampling_rate: 0 })
    await until(() => said().at(-1) === '0')
    assert.ok(said().includes('20'))
  })

  it('outlive the telemetry thread that had set them', () => {
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES))
    new AppliedSettings(control).apply({ sampling_rate: 0.5, deactivate_instrumentations: ['http'] })
    assert.deepEqual(new AppliedSettings(control).current, {
      sampling_rate: 0.5,
      deactivate_instrumentations: ['http'],
    })
  })

  it('bound the stacks of those who wait for an error of another thread, too', () => {
    const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES))
    const applied = new AppliedSettings(control)
    const recorder = { sampler: { shouldSample: () => true } } as unknown as Recorder
    followSettings({ recorder, control, isParentBased: true, folder: undefined })
    const waiting = Array.from({ length: 4 }, (_, i) => `    at waits (/app/main.js:${i}:1)`).join('\n')
    const frames = () =>
      describeCrossed(describeException(new Error('there')), waiting)?.['exception.stacktrace']?.match(
        /^ {4}at /gm,
      )?.length
    assert.ok(frames()! > 8)
    applied.apply({ stack_trace_limit: 2 })
    assert.equal(frames(), 4)
    applied.apply({ stack_trace_limit: 0 })
    assert.equal(frames(), undefined)
    applied.apply({})
    assert.ok(frames()! > 8)
  })

  it('are seen whole or not at all, however often they change', async () => {
    const control = new SharedArrayBuffer(CONTROL_BYTES)
    const worker = new Worker(fixture('central/settings-reader.mjs'), {
      workerData: { module: dist('ring/settings.js'), control },
    })
    const next = () => new Promise((heard) => worker.once('message', heard))
    await next()
    const documents = [
      { sampling_rate: 0.5 },
      { transaction_ignore_urls: Array.from({ length: 100 }, (_, i) => `/path/${i}/*`) },
      {},
    ]
    const applied = new AppliedSettings(new Int32Array(control))
    for (let i = 0; i < 200_000; i++) applied.apply(documents[i % 3]!)
    const result = next()
    Atomics.store(new Int32Array(control), 0, 1)
    const { seen, torn } = (await result) as { seen: string[]; torn: number }
    assert.equal(torn, 0)
    assert.ok(seen.length > 1)
    const texts = documents.map((document) => JSON.stringify(document))
    for (const text of seen) assert.ok(texts.includes(text), text)
  })
})
