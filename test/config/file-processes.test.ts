import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('a configuration file', () => {
  let receiver: Receiver
  let folder: string
  before(async () => {
    receiver = await Receiver.start()
    folder = mkdtempSync(join(tmpdir(), 'threadspan-file-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await receiver.close()
  })
  beforeEach(() => {
    receiver.spans.length = 0
  })

  const write = (name: string, more = ''): string => {
    const path = join(folder, name)
    writeFileSync(
      path,
      `file_format: "1.0"
resource: { attributes: [{ name: service.name, value: ${name} }] }
propagator: { composite: [{ tracecontext: }] }
tracer_provider:
  processors: [{ batch: { exporter: { otlp_http: { endpoint: "${receiver.endpoint}/v1/traces" } } } }]
${more}`,
    )
    return path
  }
  const preload = ['--require', PRELOAD]
  /** What a file takes the place of. */
  const variables = {
    OTEL_SERVICE_NAME: 'variable',
    OTEL_TRACES_EXPORTER: 'console',
    OTEL_TRACES_SAMPLER: 'always_off',
    OTEL_SDK_DISABLED: 'true',
  }
  const threads = fixture('config-file/threads.cjs')

  it('holds in every thread and child in the place of variables, and is read in the main thread alone', async () => {
    const file = write('one.yaml', 'odd: 1\n')
    const { code, stderr, stdout } = await runProgram(threads, {
      node: preload,
      env: { ...variables, OTEL_CONFIG_FILE: file },
    })
    assert.deepEqual([code, stdout], [0, ''])
    assert.equal(
      stderr,
      `threadspan: ${file}: odd: it is not known, and ignored (THREADSPAN_CONFIG_UNSUPPORTED)\n`,
    )
    const told = receiver.spans
      .filter(({ scope }) => scope === 'threads')
      .map(({ name, attributes, resource }) => [name, attributes['file.read'], resource['service.name']])
    assert.deepEqual(told.sort(), [
      ['child', false, 'one.yaml'],
      ['main', true, 'one.yaml'],
      ['worker', false, 'one.yaml'],
      ['worker', false, 'one.yaml'],
    ])
  })

  it('bounds and samples in every thread and child', async () => {
    const limits = '  limits: { attribute_count_limit: 1 }\n'
    const all = await runProgram(threads, {
      node: preload,
      env: { OTEL_CONFIG_FILE: write('limits.yaml', limits) },
    })
    assert.equal(all.stderr, '')
    const own = receiver.spans.filter(({ scope }) => scope === 'threads')
    assert.equal(own.length, 4)
    for (const { attributes } of own) assert.equal(attributes['attributes.kept'], undefined)
    receiver.spans.length = 0
    const none = '  sampler: { always_off: }\n'
    await runProgram(threads, { node: preload, env: { OTEL_CONFIG_FILE: write('none.yaml', none) } })
    assert.equal(receiver.spans.length, 0)
  })

  it('has a Worker without any span log, by either variable', async () => {
    const logger = `logger_provider:
  processors: [{ batch: { exporter: { otlp_http: { endpoint: "${receiver.endpoint}/v1/logs" } } } }]
`
    const file = write('logs.yaml', logger)
    for (const variable of ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE']) {
      receiver.logs.length = 0
      const { stderr } = await runProgram(fixture('config-file/log-in-worker.cjs'), {
        node: preload,
        env: { OTEL_LOGS_EXPORTER: 'none', [variable]: file },
      })
      assert.deepEqual([stderr, receiver.logs.map(({ body }) => body)], ['', ['in a Worker']], variable)
    }
  })

  it('of a child’s own is that child’s', async () => {
    const child = { OTEL_CONFIG_FILE: write('child.yaml') }
    const { code, stderr } = await runProgram(threads, {
      node: preload,
      env: { OTEL_CONFIG_FILE: write('parent.yaml'), CHILD: JSON.stringify(child) },
    })
    assert.deepEqual([code, stderr], [0, ''])
    const services = receiver.spans
      .filter(({ scope }) => scope === 'threads')
      .map(({ name, attributes, resource }) => [name, resource['service.name'], attributes['file.read']])
    assert.deepEqual(services.sort(), [
      ['child', 'child.yaml', true],
      ['main', 'parent.yaml', true],
      ['worker', 'child.yaml', false],
      ['worker', 'parent.yaml', false],
    ])
  })

  it('that cannot be used leaves the program as it is, unrecorded, with one line of each process', async () => {
    const file = write('broken.yaml', 'x: [')
    for (const path of [file, join(folder, 'missing.yaml')]) {
      const { code, stderr } = await runProgram(threads, { node: preload, env: { OTEL_CONFIG_FILE: path } })
      assert.equal(code, 0)
      // The child says it of itself: it has no ancestor that exports.
      for (const line of stderr.trimEnd().split('\n'))
        assert.match(
          line,
          /^threadspan: .+\.yaml cannot be used, and nothing is recorded: .+[^:] \(THREADSPAN_CONFIG_FILE\)$/,
        )
    }
    assert.equal(receiver.spans.length, 0)
  })

  it('leaves the program unrecorded where the code that reads it is gone', async () => {
    const copy = join(folder, 'copy')
    cpSync(dirname(PRELOAD), copy, { recursive: true })
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    const file = write('gone.yaml')
    for (const part of ['config-file.cjs', 'configured.cjs']) {
      rmSync(join(copy, part))
      const { code, stderr } = await runProgram(threads, {
        node: ['--require', join(copy, 'register.cjs')],
        env: { OTEL_CONFIG_FILE: file, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
      })
      assert.equal(code, 0)
      assert.match(stderr, /\[THREADSPAN_PRELOAD\] ThreadspanWarning: Nothing is traced in this thread/)
    }
    assert.equal(receiver.spans.length, 0)
  })

  it('holds for start() and the Workers that join it', async () => {
    const file = write('hand.yaml', '  limits: { attribute_count_limit: 1 }\n')
    const { stdout, stderr } = await runProgram(fixture('config-file/by-hand.mjs'), {
      env: { ...variables, OTEL_CONFIG_FILE: file },
    })
    assert.deepEqual([stdout, stderr], ['true\n', ''])
    assert.deepEqual(receiver.spans.map(({ name }) => name).sort(), ['main', 'worker'])
    const { attributes } = receiver.named('worker')[0]!
    assert.deepEqual([attributes['a'], attributes['b']], [1, undefined])
  })

  it('holds under threadspan run, and what the command says goes before', async () => {
    const spans = join(folder, 'spans.jsonl')
    const { code, stderr } = await runProgram(resolve('dist/cli/main.js'), {
      args: ['run', '--quiet', '--service', 'command', '--file', spans, threads],
      env: { ...variables, OTEL_CONFIG_FILE: write('run.yaml') },
    })
    assert.deepEqual([code, stderr], [0, ''])
    const own = receiver.spans.filter(({ scope }) => scope === 'threads')
    assert.deepEqual([...new Set(own.map(({ resource }) => resource['service.name']))], ['command'])
    assert.equal(own.length, 4)
    for (const { attributes } of own) assert.equal(attributes['file.read'], false)
  })

  it('is what threadspan doctor tells of', async () => {
    const file = write('doctor.yaml', 'odd: 1\n')
    const { stdout } = await runProgram(resolve('dist/cli/main.js'), {
      args: ['doctor'],
      env: { ...variables, OTEL_CONFIG_FILE: file },
    })
    assert.ok(
      stdout.includes(` · ${file}: odd: it is not known, and ignored (THREADSPAN_CONFIG_UNSUPPORTED)\n`),
    )
    assert.match(stdout, /✓ http:\S+ takes spans\n/)
    assert.match(stdout, /✓ A span of a terminated worker thread arrives/)
    assert.match(stdout, /\n {3}OTEL_SERVICE_NAME +doctor.yaml\n/)
    assert.match(stdout, /\n {3}OTEL_TRACES_EXPORTER +otlp {2}\(set\)\n/)
  })
})
