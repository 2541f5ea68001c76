import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PRELOAD, runProgram } from '../support/program.js'
import { fixture, threadspan } from './cli.js'

describe('what threadspan doctor runs', () => {
  const program = fixture('doctor/all-signals.mjs')
  const requests: { url: string | undefined; bytes: number }[] = []
  const server = createServer(async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += (chunk as Buffer).length
    requests.push({ url: request.url, bytes })
    response.setHeader('content-type', 'application/x-protobuf').end()
  })
  let spool: string
  let env: Record<string, string>
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    spool = mkdtempSync(join(tmpdir(), 'threadspan-spool-'))
    env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
      THREADSPAN_SPOOL: spool,
      THREADSPAN_SURFACERS: 'http',
      THREADSPAN_SURFACER_URL: `${endpoint}/surfacer`,
    }
  })
  after(() => {
    server.close()
    rmSync(spool, { recursive: true })
  })
  const kept = () =>
    readdirSync(spool, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))

  test('sends nothing anywhere, and leaves in the spool what waits there', async () => {
    const { code } = await runProgram(program, {
      node: ['--require', PRELOAD],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', THREADSPAN_SPOOL: spool },
    })
    assert.equal(code, 0)
    const waiting = kept()
    assert.ok(waiting.some((text) => text.includes('all signals')))
    for (const argv of [['doctor'], ['doctor', program]]) {
      const { stdout } = await threadspan(argv, { env }).ended
      assert.match(stdout, /takes spans/)
    }
    // What asks the endpoint is a request without spans.
    assert.deepEqual(
      requests,
      Array.from({ length: 2 }, () => ({ url: '/v1/traces', bytes: 0 })),
    )
    assert.deepEqual(kept(), waiting)
  })
})
