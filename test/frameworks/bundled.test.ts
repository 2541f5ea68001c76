import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { build } from 'rolldown'
import { PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

/** Asks itself, and ends. */
const PROGRAM = `
import { H3, serve } from 'h3'
import { tracingPlugin } from 'h3/tracing'
import { tracingPlugin as serverTracing } from 'srvx/tracing'

const app = new H3({ plugins: [tracingPlugin()] })
app.use(() => {})
app.get('/orgs/:org/items/:item', () => 'ok')
app.get('/orgs/:org/throws/:item', () => {
  throw new RangeError('throws')
})
const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true, plugins: [serverTracing()] })
await server.ready()
for (const what of ['items', 'throws', 'nothing']) await (await fetch(new URL('/orgs/acme/' + what + '/7', server.url))).text()
await server.close(true)
`

test('h3 in a bundle is followed by what it publishes', async () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'threadspan-bundled-'))
  const receiver = await Receiver.start()
  try {
    const input = join(folder, 'program.mjs')
    writeFileSync(input, PROGRAM)
    const file = join(folder, 'bundle.mjs')
    await build({
      input,
      platform: 'node',
      logLevel: 'silent',
      resolve: { modules: [resolve('node_modules')] },
      output: { file, format: 'esm', codeSplitting: false },
    })
    const { code, stderr } = await runProgram(file, {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
    assert.equal(code, 0, stderr)
    const requests = receiver.spans.filter(({ kind }) => kind === 2).sort((a, b) => Number(a.start - b.start))
    assert.deepEqual(
      requests.map(({ name, attributes }) => [name, attributes['http.route']]),
      [
        ['GET /orgs/:org/items/:item', '/orgs/:org/items/:item'],
        ['GET /orgs/:org/throws/:item', '/orgs/:org/throws/:item'],
        ['GET', undefined],
      ],
    )
    const [, failed] = requests
    assert.deepEqual(
      failed!.events.map(({ attributes }) => attributes['exception.type']),
      ['RangeError'],
    )
    assert.match(String(failed!.events[0]!.attributes['exception.stacktrace']), /bundle\.mjs|program\.mjs/)
  } finally {
    await receiver.close()
    rmSync(folder, { recursive: true })
  }
})
