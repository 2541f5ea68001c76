import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

const AWS = '@opentelemetry/resource-detector-aws'
const ARN = 'arn:aws:ecs:eu-west-1:111122223333'

/** Makes a span, a log record and a count, and stays until a child has made a span as well. */
const PROGRAM = `
import { fork } from 'node:child_process'
import { metrics, trace } from '@opentelemetry/api'
import pino from 'pino'
if (process.argv[2] === 'child') trace.getTracer('t').startSpan('child').end()
else {
  trace.getTracer('t').startActiveSpan('main', (span) => {
    pino({ level: 'info' }, { write() {} }).info('here')
    metrics.getMeter('t').createCounter('things').add(1)
    if (process.argv[2] === 'stay') fork(process.argv[1], ['child']).on('exit', () => setTimeout(() => {}, 1500))
    span.end()
  })
}
`

describe('resource detectors', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'threadspan-detectors-')))
  after(() => rmSync(root, { recursive: true }))
  let receiver: Receiver
  const metadata = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify(
        request.url === '/v4/task'
          ? {
              Cluster: 'shop',
              TaskARN: `${ARN}:task/shop/1`,
              LaunchType: 'FARGATE',
              Family: 'web',
              Revision: '7',
            }
          : { ContainerARN: `${ARN}:container/shop/1/2` },
      ),
    )
  })
  before(async () => {
    receiver = await Receiver.start()
    await new Promise<void>((done) => metadata.listen(0, '127.0.0.1', done))
  })
  after(async () => {
    await receiver.close()
    metadata.close()
  })

  /** A folder with the program, in which these packages are installed. */
  function app(name: string, packages: Readonly<Record<string, string>>): string {
    const folder = join(root, name)
    mkdirSync(join(folder, 'node_modules', '@opentelemetry'), { recursive: true })
    writeFileSync(join(folder, 'app.mjs'), PROGRAM)
    for (const each of ['@opentelemetry/api', 'pino'])
      symlinkSync(resolve('node_modules', each), join(folder, 'node_modules', each))
    for (const [each, code] of Object.entries(packages)) {
      const to = join(folder, 'node_modules', each)
      if (code === '') symlinkSync(resolve('node_modules', each), to)
      else {
        mkdirSync(to, { recursive: true })
        writeFileSync(join(to, 'package.json'), JSON.stringify({ name: each, version: '1.0.0' }))
        writeFileSync(join(to, 'index.js'), code)
      }
    }
    return folder
  }

  function run(
    folder: string,
    detectors: string,
    arg: string,
    env: Record<string, string> = {},
    cwd = folder,
  ) {
    receiver.spans.length = 0
    const { port } = metadata.address() as AddressInfo
    return runProgram(join(folder, 'app.mjs'), {
      node: ['--require', PRELOAD],
      args: [arg],
      cwd,
      env: {
        OTEL_NODE_RESOURCE_DETECTORS: detectors,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_METRICS_EXPORTER: 'otlp',
        ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${port}/v4`,
        ...env,
      },
    })
  }

  it('that the application has say where it runs, with spans, records and metrics, of its children too', async () => {
    const folder = app('aws', { [AWS]: '' })
    const { code, stderr } = await run(folder, 'env,aws', 'stay')
    assert.deepEqual([code, stderr], [0, ''])
    const resources = [
      ...receiver.spans.map(({ name, resource }) => [name, resource] as const),
      ...receiver.logs.map(({ resource }) => ['record', resource] as const),
      ...receiver.metrics
        .flat()
        .filter(({ name }) => name === 'things')
        .map(({ resource }) => ['things', resource] as const),
    ]
    const names = new Set(resources.map(([name]) => name))
    for (const name of ['main', 'child', 'record', 'things']) assert.ok(names.has(name), name)
    for (const [name, resource] of resources) {
      assert.equal(resource['cloud.provider'], 'aws', name)
      assert.equal(resource['cloud.platform'], 'aws_ecs', name)
      assert.equal(resource['cloud.account.id'], '111122223333', name)
      assert.equal(resource['aws.ecs.task.family'], 'web', name)
      // What is known here stays.
      assert.equal(resource['process.runtime.name'], 'nodejs')
    }
  })

  it('are those of the program’s folder, whatever the working directory and the environment offer', async () => {
    const trap = `require('node:fs').writeFileSync(${JSON.stringify(join(root, 'sprung'))}, '')`
    const elsewhere = app('elsewhere', { [AWS]: trap })
    const folder = app('without', {})
    const env = { NODE_PATH: join(elsewhere, 'node_modules'), HOME: elsewhere }
    const { code, stderr } = await run(folder, 'aws', 'stay', env, elsewhere)
    assert.equal(code, 0)
    assert.match(stderr, /names "aws", but the application has no @opentelemetry\/resource-detector-aws/)
    assert.ok(!existsSync(join(root, 'sprung')))
    const all = await run(folder, 'all', 'stay', env, elsewhere)
    assert.deepEqual([all.code, all.stderr], [0, ''])
    assert.ok(receiver.spans.length >= 2)
    assert.ok(!existsSync(join(root, 'sprung')))
  })

  it('hold up neither the start nor the end, and lose nothing where they hang, throw or give nonsense', async () => {
    const never = 'new Promise(() => {})'
    const odd = app('odd', {
      '@opentelemetry/resource-detector-gcp': `exports.gcpDetector = { detect: () => ({ attributes: { 'cloud.region': ${never}, 'cloud.provider': 'gcp', 'host.name': 'other', list: [1], text: 'x'.repeat(9999), bad: { a: 1 } } }) }`,
      '@opentelemetry/resource-detector-azure': 'throw new Error("no azure")',
      [AWS]:
        'exports.awsDetector = { detect() { throw new Error("no aws") } }; exports.other = { detect: () => null }',
    })
    const before = Date.now()
    const short = await run(odd, 'aws,gcp,azure', 'once', { THREADSPAN_EXIT_TIMEOUT: '20000' })
    assert.equal(short.code, 0)
    assert.deepEqual(
      receiver.spans.map(({ name }) => name),
      ['main'],
    )
    assert.ok(Date.now() - before < 15_000)
    const long = await run(odd, 'aws,gcp,azure', 'stay', { THREADSPAN_EXIT_TIMEOUT: '20000' })
    assert.equal(long.code, 0)
    assert.match(long.stderr, /detectors of "aws": no aws/)
    assert.match(long.stderr, /detectors of "azure": no azure/)
    assert.deepEqual(receiver.spans.map(({ name }) => name).sort(), ['child', 'main', 'spawn node'])
    const { resource } = receiver.spans.find(({ name }) => name === 'main')!
    assert.equal(resource['cloud.provider'], 'gcp')
    assert.notEqual(resource['host.name'], 'other')
    assert.deepEqual(
      [resource['list'], resource['bad'], String(resource['text']).length],
      [undefined, undefined, 1024],
    )
  })
})
