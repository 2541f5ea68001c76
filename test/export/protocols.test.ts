import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, it } from 'node:test'
import { root } from '../support/dist.js'
import { lossesIn } from '../support/losses.js'
import type { LogsRequest } from '../support/otlp-grpc.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { freePort } from './support.js'

const { grpcReceiver, spanIds, status } = (await import(
  root('test/support/otlp-grpc.js')
)) as typeof import('../support/otlp-grpc.js')

/** Programs that end before their telemetry thread has begun, by themselves and by `process.exit`, and one that is at work. */
const PROGRAMS = ['runtime/ends-at-once.cjs', 'runtime/exits-at-once.cjs', 'runtime/exits-later.cjs']
const MADE = 10

const folder = mkdtempSync(join(tmpdir(), 'threadspan-protocols-'))
after(() => rmSync(folder, { recursive: true }))

function run(program: string, protocol: string, endpoint: string, env: Record<string, string> = {}) {
  return runProgram(fixture(program), {
    node: ['--require', PRELOAD],
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env },
  })
}

describe('processes that end at once', () => {
  it('deliver over gRPC', async () => {
    const taken: string[] = []
    const server = await grpcReceiver((_signal, request) => void taken.push(...spanIds(request)))
    for (const program of PROGRAMS) {
      for (const compression of ['none', 'gzip']) {
        const { code, stderr } = await run(program, 'grpc', server.url, {
          OTEL_EXPORTER_OTLP_COMPRESSION: compression,
        })
        assert.deepEqual([code, stderr], [0, ''], program)
        assert.equal(new Set(taken.splice(0)).size, MADE, program)
      }
    }
    server.close()
  })

  it('deliver over gRPC by a Unix socket', async () => {
    const taken: string[] = []
    const address = `unix:${join(folder, 'grpc.sock')}`
    const server = await grpcReceiver((_signal, request) => void taken.push(...spanIds(request)), { address })
    for (const program of PROGRAMS) {
      const { code, stderr } = await run(program, 'grpc', address)
      assert.deepEqual([code, stderr], [0, ''], program)
      assert.equal(new Set(taken.splice(0)).size, MADE, program)
    }
    server.close()
  })

  it('account for each span that a server of gRPC does not take, and end in time', async () => {
    const server = await grpcReceiver(() => {
      throw { code: status.INVALID_ARGUMENT, details: 'no' }
    })
    const silent = createTcpServer((socket) => socket.resume().on('error', () => {}))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const absent = `http://127.0.0.1:${await freePort()}`
    const mute = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const cases = [
      ...PROGRAMS.map((program) => [program, server.url, 'rejected'] as const),
      ['runtime/exits-at-once.cjs', absent, 'endpoint'],
      ['runtime/exits-at-once.cjs', mute, 'timeout'],
    ] as const
    for (const [program, url, cause] of cases) {
      const { code, stderr } = await run(program, 'grpc', url, { THREADSPAN_EXIT_TIMEOUT: '5000' })
      assert.equal(code, 0)
      const expected = { lost: MADE, made: MADE, causes: { [cause]: MADE } }
      assert.deepEqual(lossesIn(stderr), expected, `${program} ${cause}`)
    }
    silent.close()
    server.close()
  })

  it('deliver JSON', async () => {
    const bodies: { resourceSpans: { scopeSpans: { spans: { spanId: string }[] }[] }[] }[] = []
    const types: (string | undefined)[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      request.on('end', () => {
        types.push(request.headers['content-type'])
        bodies.push(JSON.parse(text))
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const program of PROGRAMS) {
      const { code, stderr } = await run(program, 'http/json', url)
      assert.deepEqual([code, stderr], [0, ''], program)
      const ids = bodies
        .splice(0)
        .flatMap(({ resourceSpans }) =>
          resourceSpans.flatMap(({ scopeSpans }) =>
            scopeSpans.flatMap(({ spans }) => spans.map(({ spanId }) => spanId)),
          ),
        )
      assert.equal(new Set(ids).size, MADE, program)
      for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/)
    }
    assert.deepEqual(new Set(types), new Set(['application/json']))
    server.closeAllConnections()
    server.close()
  })

  it('deliver over HTTP by a Unix socket', async () => {
    const path = join(folder, 'http.sock')
    const server: Server = createServer()
    const names: string[] = []
    server.on('request', (request, response) => {
      names.push(`${request.method} ${request.url} ${request.headers.host}`)
      request.resume().on('end', () => response.end())
    })
    await new Promise<void>((resolve) => server.listen(path, resolve))
    for (const program of PROGRAMS) {
      const { code, stderr } = await run(program, 'http/protobuf', `unix://${path}`)
      assert.deepEqual([code, stderr], [0, ''], program)
      assert.deepEqual([...new Set(names.splice(0))], ['POST /v1/traces localhost'])
    }
    server.closeAllConnections()
    server.close()
  })
})

describe('log records', () => {
  const run = (protocol: string, endpoint: string) =>
    runProgram(fixture('logs/api.mjs'), {
      args: ['whole'],
      node: ['--require', PRELOAD],
      env: {
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      },
    })
  const namesOf = ({ resourceLogs }: LogsRequest): string[] =>
    resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords.map(({ eventName }) => eventName)),
    )

  it('go over gRPC', async () => {
    const names: string[] = []
    const server = await grpcReceiver((signal, request) => {
      if (signal === 'Logs') names.push(...namesOf(request as unknown as LogsRequest))
    })
    const { code, stderr } = await run('grpc', server.url)
    assert.deepEqual([code, stderr, names], [0, '', ['order.placed']])
    server.close()
  })

  it('go as JSON', async () => {
    const names: string[] = []
    const server = createServer(async (request, response) => {
      const body = await new Response(Readable.toWeb(request) as never).text()
      if (request.url === '/v1/logs') names.push(...namesOf(JSON.parse(body)))
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { code, stderr } = await run(
      'http/json',
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    )
    assert.deepEqual([code, stderr, names], [0, '', ['order.placed']])
    server.closeAllConnections()
    server.close()
  })
})
