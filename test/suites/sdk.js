// Programs with an OpenTelemetry SDK of their own under the preload: SDK 2 and 3, Sentry and Elastic's distribution, each as its users
// install it, on the Nodes that it is for.
// Usage: node test/suites/sdk.js [sdk2|sdk3|sentry|edot ...]
// Needs npm and the network; everything goes to a temporary folder that is removed at the end.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeOf } from '../support/nodes.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const preload = join(root, 'dist', 'register.cjs')
if (!existsSync(preload)) {
  console.error(`There is no preload at ${preload}. Run \`npm run build\` first.`)
  process.exit(2)
}

/** What prints one line for each span that reached the end of the application's own pipeline. */
const PRINT = `const print = (name, traceId, spanId, parent) => console.log('SPAN ' + JSON.stringify({ name, traceId, spanId, parent: parent || '' }))\n`

const applications = {
  sdk2: {
    nodes: ['20'],
    packages: ['@opentelemetry/sdk-trace-node@~2.12', '@opentelemetry/api@1.9'],
    program: `
      const { BatchSpanProcessor, InMemorySpanExporter, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')
      const exporter = new InMemorySpanExporter()
      const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
      provider.register()
      require('./work.cjs').work().then(async () => {
        await provider.forceFlush()
        for (const span of exporter.getFinishedSpans()) {
          const { traceId, spanId } = span.spanContext()
          print(span.name, traceId, spanId, span.parentSpanContext?.spanId)
        }
      })`,
  },
  sdk3: {
    nodes: ['24'],
    packages: ['@opentelemetry/sdk-node@>=0.300', '@opentelemetry/sdk-trace@3', '@opentelemetry/api'],
    program: `
      const { NodeSDK } = require('@opentelemetry/sdk-node')
      const { BatchSpanProcessor, InMemorySpanExporter } = require('@opentelemetry/sdk-trace')
      const exporter = new InMemorySpanExporter()
      exporter.shutdown = async () => {}
      const sdk = new NodeSDK({ spanProcessors: [new BatchSpanProcessor({ exporter })], autoDetectResources: false })
      sdk.start()
      require('./work.cjs').work().then(async () => {
        await sdk.shutdown()
        for (const span of exporter.getFinishedSpans()) {
          const { traceId, spanId } = span.spanContext()
          print(span.name, traceId, spanId, span.parentSpanContext?.spanId)
        }
      })`,
  },
  sentry: {
    nodes: ['20', '24'],
    packages: ['@sentry/node@10'],
    program: `
      const Sentry = require('@sentry/node')
      const { createTransport } = require('@sentry/core')
      Sentry.init({
        dsn: 'https://key@localhost/1',
        tracesSampleRate: 1,
        openTelemetryBasicTracerProvider: true,
        transport: (options) => createTransport(options, async ({ body }) => {
          const [, type, event] = String(body).split('\\n')
          if (JSON.parse(type).type === 'transaction') {
            const { transaction, contexts, spans } = JSON.parse(event)
            const { trace_id: id, span_id, parent_span_id } = contexts.trace
            print(transaction, id, span_id, parent_span_id)
            for (const span of spans) print(span.description, span.trace_id, span.span_id, span.parent_span_id)
          }
          return { statusCode: 200 }
        }),
      })
      require('./work.cjs').work().then(() => Sentry.flush(2000))`,
  },
  edot: {
    nodes: ['20', '24'],
    packages: ['@elastic/opentelemetry-node@1'],
    options: ['--import', '@elastic/opentelemetry-node'],
    receives: true,
    env: {
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_LOG_LEVEL: 'error',
      OTEL_NODE_RESOURCE_DETECTORS: 'env,host',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
      ELASTIC_OTEL_CENTRAL_CONFIG: 'false',
    },
    program: `require('./work.cjs').work()`,
  },
}

function must(command, args, cwd) {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stderr}`)
}

/** A package that was asked for, with the version that was installed. */
function versionOf(home, wanted) {
  const name = wanted.slice(0, wanted.lastIndexOf('@')) || wanted
  const { version } = JSON.parse(readFileSync(join(home, 'node_modules', name, 'package.json'), 'utf8'))
  return `${name} ${version}`
}

/** An endpoint for OTLP in JSON. @returns its address, the spans that came from an SDK's exporter, and what closes it. */
async function receive() {
  const spans = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      response.end('{}')
      if (request.url !== '/v1/traces') return
      assert.match(request.headers['user-agent'], /OTel-OTLP-Exporter-JavaScript/)
      for (const { scopeSpans } of JSON.parse(body).resourceSpans)
        for (const group of scopeSpans)
          for (const { name, traceId, spanId, parentSpanId } of group.spans)
            spans.push({ name, traceId, spanId, parent: parentSpanId ?? '' })
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { endpoint: `http://127.0.0.1:${server.address().port}`, spans, close: () => server.close() }
}

function run(node, folder, { options = [], env = {} }, endpoint) {
  const args = ['--require', preload, ...options, 'app.cjs']
  // Nothing may leave by any other way than the application's own.
  const own = { ...process.env, ...env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint ?? 'http://127.0.0.1:1' }
  const child = spawn(node, args, { cwd: folder, env: own, timeout: 60_000 })
  let output = ''
  child.stdout.on('data', (text) => {
    output += text
  })
  child.stderr.on('data', (text) => {
    output += text
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

function check(spans) {
  const named = (name) => {
    const found = spans.filter((span) => span.name === name)
    assert.equal(found.length, 1, `${name}: ${JSON.stringify(spans)}`)
    return found[0]
  }
  const request = named('request')
  assert.equal(named('in worker').parent, request.spanId)
  assert.equal(named('spawn node').parent, request.spanId)
  assert.equal(named('in child').parent, named('spawn node').spanId)
  assert.ok(spans.every(({ traceId }) => traceId === request.traceId))
}

const wanted = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'threadspan-sdk-'))
try {
  for (const [name, application] of Object.entries(applications)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const home = join(folder, name)
    mkdirSync(home)
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name: `app-${name}`, private: true }))
    for (const file of ['work.cjs', 'worker.cjs'])
      copyFileSync(join(root, 'test', 'fixtures', 'sdk', file), join(home, file))
    writeFileSync(join(home, 'app.cjs'), PRINT + application.program)
    must('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...application.packages], home)
    for (const major of application.nodes) {
      const receiver = application.receives ? await receive() : undefined
      const { code, output } = await run(nodeOf(major), home, application, receiver?.endpoint)
      receiver?.close()
      assert.equal(code, 0, output)
      const printed = output.split('\n').filter((line) => line.startsWith('SPAN '))
      const spans = receiver?.spans ?? printed.map((line) => JSON.parse(line.slice('SPAN '.length)))
      check(spans)
      const versions = application.packages.map((name) => versionOf(home, name)).join(', ')
      console.log(`Node ${major}, ${versions}: main, worker and child in one trace, through its own exporter`)
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
