import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { threadspan } from './cli.js'

describe('threadspan doctor', () => {
  test('all is well here: versions are told, and a program is traced for real', async () => {
    const { code, stdout, stderr } = await threadspan(['doctor'], { env: { OTEL_TRACES_EXPORTER: 'none' } })
      .ended
    assert.equal(code, 0, stdout + stderr)
    assert.ok(stdout.includes(`✓ Node ${process.version}`))
    assert.match(stdout, /✓ @opentelemetry\/api 1\.\d+/)
    assert.match(stdout, /✓ piscina 5/)
    assert.match(stdout, /✓ A span of a terminated worker thread arrives/)
    assert.equal(stderr, '')
  })

  test('an endpoint is asked, and what it answers is explained; secrets are not shown', async () => {
    let status = 200
    let authorization: string | undefined
    const server = createServer((request, response) => {
      authorization = request.headers.authorization
      response.writeHead(status).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hush',
      OTEL_TRACES_SAMPLER: 'sometimes',
    }
    const well = await threadspan(['doctor'], { env }).ended
    assert.equal(well.code, 0, well.stdout)
    assert.ok(well.stdout.includes(`✓ http://127.0.0.1:${port}/v1/traces takes spans`))
    assert.match(well.stdout, /· OTEL_TRACES_SAMPLER: (?!OTEL).*\(THREADSPAN_ENV_INVALID\)/)
    assert.equal(authorization, 'Bearer hush')
    status = 401
    const refused = await threadspan(['doctor'], { env }).ended
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /✗ .* answers status 401: OTEL_EXPORTER_OTLP_HEADERS/)
    assert.ok(!refused.stdout.includes('hush'))
    server.close()
    const down = await threadspan(['doctor'], { env }).ended
    assert.equal(down.code, 1)
    assert.match(down.stdout, /✗ .* cannot be reached: .*\(ECONNREFUSED\)/)
  })

  test('a project without packages is told what to install', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'threadspan-project-'))
    const { code, stdout } = await threadspan(['doctor'], { cwd, env: { OTEL_TRACES_EXPORTER: 'none' } })
      .ended
    rmSync(cwd, { recursive: true })
    assert.equal(code, 0, stdout)
    assert.match(stdout, /npm install @opentelemetry\/api/)
  })
})
