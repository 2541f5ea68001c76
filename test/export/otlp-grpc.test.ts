import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { GrpcReply } from '#dist/export/grpc-answer.js'
import { grpcProxy } from '#dist/export/grpc-proxy.js'
import { OtlpExporter } from '#dist/export/otlp-exporter.js'
import { OtlpMetricsExporter } from '#dist/export/otlp-metrics.js'
import type { OtlpConfig } from '../../src/config/otlp.js'
import { root } from '../support/dist.js'
import type { Answer, Failure } from '../support/otlp-grpc.js'
import { makeCertificates } from './certificates.js'
import { accounts, batch, freePort, hexId, journal, otlpConfig, soon, tcp } from './support.js'

const { grpcReceiver, retryInfo, ServerCredentials, spanIds, status } = (await import(
  root('test/support/otlp-grpc.js')
)) as typeof import('../support/otlp-grpc.js')

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => hexId(i + 1))
const codes = (lines: string[]): string[] => lines.map((line) => line.split(' ')[1]!)
const fail = (failure: Failure): never => {
  throw failure
}

function make(url: string, more: Partial<OtlpConfig> = {}, maxBytes?: number) {
  const { log, lines } = journal()
  const config = otlpConfig(`${url}${METHOD}`, { protocol: 'grpc', ...more })
  return { exporter: new OtlpExporter(config, log, maxBytes), lines }
}

/** A receiver that keeps what it takes. */
async function keeping(answer: Answer = () => {}, how?: Parameters<typeof grpcReceiver>[1]) {
  const taken: string[] = []
  const receiver = await grpcReceiver(async (...call) => {
    const response = await answer(...call)
    taken.push(...spanIds(call[1]))
    return response
  }, how)
  return { ...receiver, taken }
}

/** An HTTP/2 server that does with each call what it is told. */
async function http2(
  handler: (stream: ServerHttp2Stream, index: number, session: ServerHttp2Session) => void,
) {
  const server: Http2Server = createHttp2Server()
  const sessions = new Set<ServerHttp2Session>()
  let index = 0
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
  })
  server.on('sessionError', () => {})
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.resume()
    handler(stream, index++, stream.session as ServerHttp2Session)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    close() {
      for (const session of sessions) session.destroy()
      server.close()
    },
  }
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' }

/** Answers as servers of gRPC do, with the message of `frame`. */
function succeed(
  stream: ServerHttp2Stream,
  frame: Uint8Array = new Uint8Array(5),
  headers: object = {},
): void {
  stream.respond({ ...GRPC, ...headers }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(frame)
}

describe('OTLP over gRPC: what is sent', () => {
  it('reaches a server of grpc-js with its metadata, over one kept connection', async () => {
    const seen: [string, string, string, unknown, unknown][] = []
    const server = await keeping((signal, _request, call) => {
      const { metadata } = call
      seen.push([
        signal,
        call.getPeer(),
        call.getPath(),
        metadata.get('x-tenant')[0],
        metadata.get('user-agent')[0],
      ])
    })
    const { exporter, lines } = make(server.url, {
      headers: { 'x-tenant': 'one', 'grpc-timeout': '1n', 'content-type': 'text/plain', host: 'other' },
    })
    for (let i = 0; i < 3; i++)
      assert.deepEqual(await exporter.export([batch(4), batch(2, 0, 5)], soon()), {
        delivered: 6,
        dropped: new Map(),
      })
    assert.deepEqual(server.taken, [...ids(6), ...ids(6), ...ids(6)])
    assert.deepEqual(
      seen.map(([signal, , path, tenant]) => [signal, path, tenant]),
      Array(3).fill(['Trace', METHOD, 'one']),
    )
    assert.equal(new Set(seen.map(([, peer]) => peer)).size, 1)
    assert.match(String(seen[0]![4]), /^threadspan\/\d/)
    assert.deepEqual(lines, [])
    await exporter.close()
    server.close()
  })

  it('tells the server how long it waits', async () => {
    let left = 0
    const server = await keeping((_signal, _request, call) => {
      left = Number(call.getDeadline()) - Date.now()
    })
    const { exporter } = make(server.url, { timeout: 20_000 })
    await exporter.export([batch(1)], soon(60_000))
    assert.ok(left > 0 && left <= 20_000, `${left}`)
    await exporter.close()
    server.close()
  })

  it('compresses', async () => {
    let encoding: unknown
    const server = await keeping((_signal, _request, { metadata }) => {
      encoding = metadata.get('grpc-encoding')[0]
    })
    const { exporter } = make(server.url, { compression: 'gzip' })
    assert.equal((await exporter.export([batch(500, 500)], soon())).delivered, 500)
    assert.deepEqual(server.taken, ids(500))
    // grpc-js takes the header off; that it could decode the message says the same.
    assert.ok(encoding === 'gzip' || encoding === undefined)
    await exporter.close()
    server.close()
  })

  it('stays below what servers take unless told otherwise', async () => {
    const server = await keeping()
    const { exporter, lines } = make(server.url)
    assert.equal((await exporter.export([batch(60, 200_000)], soon(60_000))).delivered, 60)
    assert.deepEqual(server.taken, ids(60))
    assert.deepEqual(lines, [])
    await exporter.close()
    server.close()
  })

  it('sends smaller requests to a server that takes less', async () => {
    const server = await keeping(undefined, { options: { 'grpc.max_receive_message_length': 100_000 } })
    const { exporter, lines } = make(server.url)
    assert.deepEqual(await exporter.export([batch(60, 10_000), batch(1, 200_000, 61)], soon(60_000)), {
      delivered: 60,
      dropped: new Map([['too-large', 1]]),
    })
    assert.deepEqual(server.taken.sort(), ids(60))
    assert.deepEqual(codes(lines), ['THREADSPAN_EXPORT_TOO_LARGE'])
    await exporter.close()
    server.close()
  })

  it('takes credentials from the URL and shows them nowhere', async () => {
    let authorization: unknown
    const server = await keeping((_signal, _request, { metadata }) => {
      authorization = metadata.get('authorization')[0]
      fail({ code: status.UNAUTHENTICATED, details: 'who?' })
    })
    const { exporter, lines } = make(server.url.replace('//', '//user:hunter2@'))
    await exporter.export([batch(1)], soon())
    assert.equal(authorization, `Basic ${Buffer.from('user:hunter2').toString('base64')}`)
    assert.match(lines[0]!, /refuses spans with status UNAUTHENTICATED: who\?/)
    assert.doesNotMatch(lines.join(), /hunter2/)
    await exporter.close()
    server.close()
  })

  it('counts what cannot be sent with credentials that are not percent-encoded', async () => {
    const server = await keeping()
    const { exporter } = make(server.url.replace('//', '//user:100%@'))
    assert.deepEqual(accounts(await exporter.export([batch(1)], soon(300))), {
      delivered: 0,
      dropped: new Map([['endpoint', 1]]),
    })
    await exporter.close()
    server.close()
  })

  it('goes over a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-grpc-'))
    const path = join(folder, 'otlp.sock')
    const server = await keeping(undefined, { address: `unix:${path}` })
    const { exporter } = make('http://localhost', { socketPath: path })
    assert.equal((await exporter.export([batch(3)], soon())).delivered, 3)
    await exporter.close()
    server.close()
    rmSync(folder, { recursive: true })
  })

  it('sends metrics by their own method', async () => {
    const signals: string[] = []
    const server = await grpcReceiver((signal) => void signals.push(signal))
    const { log, lines } = journal()
    const method = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
    const config = otlpConfig(`${server.url}${method}`, { protocol: 'grpc', signal: 'metrics' })
    const exporter = new OtlpMetricsExporter(config, log)
    assert.equal(await exporter.export(Buffer.from('0a020a00', 'hex'), soon()), true)
    assert.deepEqual(signals, ['Metrics'])
    assert.deepEqual(lines, [])
    exporter.close()
    server.close()
  })
})

describe('OTLP over gRPC: answers', () => {
  const again = ['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'UNAVAILABLE', 'DATA_LOSS']
  const never = Object.keys(status).filter(
    (name) => /^[A-Z_]+$/.test(name) && name !== 'OK' && !again.includes(name),
  )

  it('repeats after the codes that the specification lists', async () => {
    for (const name of again) {
      const server = await keeping((_signal, _request, _call, index) => {
        if (index < 2) fail({ code: status[name as keyof typeof status], details: name })
      })
      const { exporter } = make(server.url)
      assert.equal((await exporter.export([batch(2)], soon())).delivered, 2, name)
      assert.deepEqual(server.taken, ids(2))
      await exporter.close()
      server.close()
    }
  })

  it('does not repeat after the others', async () => {
    assert.equal(never.length, 10)
    for (const name of never) {
      let calls = 0
      const server = await keeping(() => {
        calls++
        fail({ code: status[name as keyof typeof status], details: 'bäd' })
      })
      const { exporter, lines } = make(server.url)
      assert.deepEqual(await exporter.export([batch(2)], soon()), {
        delivered: 0,
        dropped: new Map([['rejected', 2]]),
      })
      assert.equal(calls, 1, name)
      assert.ok(lines[0]!.includes(`refuses spans with status ${name}: bäd`), lines[0])
      await exporter.close()
      server.close()
    }
  })

  it('waits as long as RetryInfo asks, and repeats RESOURCE_EXHAUSTED only where there is one', async () => {
    for (const name of ['RESOURCE_EXHAUSTED', 'UNAVAILABLE'] as const) {
      const times: number[] = []
      const server = await keeping((_signal, _request, _call, index) => {
        times.push(performance.now())
        if (index === 0) fail({ code: status[name], details: 'later', metadata: retryInfo(0, 700_000_000) })
      })
      const { exporter } = make(server.url)
      assert.equal((await exporter.export([batch(2)], soon())).delivered, 2)
      assert.ok(times[1]! - times[0]! >= 690, `${times[1]! - times[0]!}`)
      await exporter.close()
      server.close()
    }
  })

  it('does not wait for longer than there is time', async () => {
    const server = await keeping(() =>
      fail({ code: status.RESOURCE_EXHAUSTED, details: 'later', metadata: retryInfo(3600) }),
    )
    const { exporter } = make(server.url)
    assert.deepEqual(accounts(await exporter.export([batch(2)], soon(5000))), {
      delivered: 0,
      dropped: new Map([['throttled', 2]]),
    })
    await exporter.close()
    server.close()
  })

  it('reads what a partial success refused', async () => {
    const server = await keeping(() => ({ partialSuccess: { rejectedSpans: 3, errorMessage: 'too old' } }))
    const { exporter, lines } = make(server.url)
    assert.deepEqual(await exporter.export([batch(10)], soon()), {
      delivered: 7,
      dropped: new Map([['rejected', 3]]),
    })
    assert.match(lines[0]!, /THREADSPAN_EXPORT_PARTIAL .* refused 3 of 10 spans: too old/)
    await exporter.close()
    server.close()
  })

  it('reads it when it is compressed, and takes what it cannot read for a success', async () => {
    const message = Buffer.from('0a020802', 'hex')
    const frame = (flag: number, bytes: Uint8Array): Buffer => {
      const head = Buffer.alloc(5)
      head[0] = flag
      head.writeUInt32BE(bytes.length, 1)
      return Buffer.concat([head, bytes])
    }
    const bombs = gzipSync(Buffer.alloc(10_000_000))
    const answers: [Buffer, number][] = [
      [frame(1, gzipSync(message)), 8],
      [frame(0, message), 8],
      [frame(1, bombs), 10],
      [frame(1, Buffer.from('no gzip')), 10],
      [frame(0, Buffer.alloc(200_000, 'x')), 10],
      [Buffer.from('0000', 'hex'), 10],
      [Buffer.from('00ffffffff0a', 'hex'), 10],
    ]
    const server = await http2((stream, index) =>
      succeed(stream, answers[index]![0], { 'grpc-encoding': 'gzip' }),
    )
    const { exporter } = make(server.url)
    for (const [index, [, delivered]] of answers.entries())
      assert.equal((await exporter.export([batch(10)], soon())).delivered, delivered, String(index))
    await exporter.close()
    server.close()
  })

  it('takes a status without trailers, and none of what is no gRPC', async () => {
    const server = await http2((stream, index) => {
      if (index === 0) stream.respond({ ...GRPC, 'grpc-status': '14' }, { endStream: true })
      else if (index === 1) stream.respond({ ':status': 503 }, { endStream: true })
      else if (index === 2) succeed(stream)
      else {
        stream.respond({ ':status': index === 3 ? 404 : 200, 'content-type': 'text/plain' })
        stream.end('not here')
      }
    })
    const { exporter, lines } = make(server.url)
    assert.equal((await exporter.export([batch(1)], soon())).delivered, 1)
    for (let i = 0; i < 2; i++)
      assert.deepEqual((await exporter.export([batch(1)], soon())).dropped, new Map([['rejected', 1]]))
    assert.match(lines[lines.length - 1]!, /refuses spans with HTTP status 404, and no gRPC: not here/)
    await exporter.close()
    server.close()
  })
})

describe('GrpcReply', () => {
  it('takes whatever a server sends for an answer, or for none', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('0', '14', '8', '-1', '99', '%zz', 'application/grpc'))
    const fields = fc.record(
      {
        ':status': fc.constantFrom(200, 204, 404, 413, 503),
        'content-type': text,
        'grpc-status': text,
        'grpc-message': text,
        'grpc-status-details-bin': fc.oneof(
          text,
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
        ),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        fields,
        fields,
        fc.array(fc.uint8Array({ maxLength: 70_000 }), { maxLength: 3 }),
        (head, tail, chunks) => {
          const reply = new GrpcReply()
          assert.equal(new GrpcReply().answer, undefined)
          reply.begin(head as never)
          for (const chunk of chunks) reply.add(chunk)
          reply.end(tail as never)
          const { answer } = reply
          if (answer === undefined) return
          assert.match(answer.verdict, /^(?:taken|again|too-large|refused)$/)
          assert.ok(answer.words.length < 400 && !answer.words.includes('\n'))
          assert.ok(answer.wait === undefined || answer.wait > 0)
          assert.ok(answer.partial.rejected >= 0)
        },
      ),
    )
  })
})

describe('OTLP over gRPC: connections', () => {
  it('tells what is wrong with an endpoint', async () => {
    const old = createHttpServer((_request, response) => response.end())
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve))
    const cases: [string, RegExp][] = [
      [`http://127.0.0.1:${await freePort()}`, /nothing listens there \(ECONNREFUSED\)\./],
      ['http://nowhere.invalid:4317', /ENOTFOUND|EAI_AGAIN/],
      [
        `http://127.0.0.1:${(old.address() as AddressInfo).port}`,
        /does not speak HTTP\/2; OTEL_EXPORTER_OTLP_PROTOCOL/,
      ],
    ]
    for (const [url, words] of cases) {
      const { exporter, lines } = make(url)
      assert.deepEqual(accounts(await exporter.export([batch(3)], soon(700))), {
        delivered: 0,
        dropped: new Map([['endpoint', 3]]),
      })
      assert.match(lines[0]!, words)
      assert.match(lines[0]!, /\(gRPC\)/)
      assert.doesNotMatch(lines[0]!, /threadspan view/)
      await exporter.close()
    }
    old.closeAllConnections()
    old.close()
  })

  it('tells that an endpoint of HTTP speaks gRPC', async () => {
    const server = await keeping()
    const { log, lines } = journal()
    const exporter = new OtlpExporter(otlpConfig(`${server.url}/v1/traces`), log)
    await exporter.export([batch(3)], soon(700))
    assert.match(lines[0]!, /does not speak HTTP\/1.1; OTEL_EXPORTER_OTLP_PROTOCOL/)
    await exporter.close()
    server.close()
  })

  it('gives up a server that hangs: at the timeout of the call, at the deadline at last', async () => {
    let connections = 0
    const server = await tcp((socket) => {
      connections++
      socket.resume()
    })
    const { exporter } = make(server.url.replace('/v1/traces', ''), { timeout: 150 })
    assert.deepEqual(accounts(await exporter.export([batch(3)], soon(1500))), {
      delivered: 0,
      dropped: new Map([['timeout', 3]]),
    })
    assert.ok(connections >= 2, `${connections} attempts`)
    await exporter.close()
    server.close()
  })

  it('repeats what was reset or ended without a status', async () => {
    const server = await http2((stream, index, session) => {
      if (index === 0) session.destroy()
      else if (index === 1) stream.close(2)
      else if (index === 2) stream.respond(GRPC, { endStream: true })
      else if (index === 3) {
        stream.respond(GRPC)
        stream.write(Buffer.alloc(5), () => stream.close(2))
      } else succeed(stream)
    })
    const { exporter, lines } = make(server.url)
    assert.deepEqual(await exporter.export([batch(3, 500_000)], soon(20_000)), {
      delivered: 3,
      dropped: new Map(),
    })
    assert.deepEqual(codes(lines), ['THREADSPAN_EXPORT_UNREACHABLE', 'THREADSPAN_EXPORT_RECOVERED'])
    await exporter.close()
    server.close()
  })

  it('takes another connection at once where a kept one was closed, or is about to be', async () => {
    const server = await http2((stream, index, session) => {
      // The second call meets a server that is leaving, and is not looked at.
      if (index === 1) {
        session.goaway(0, 1)
        stream.close(7)
      } else succeed(stream)
    })
    const { exporter, lines } = make(server.url)
    assert.equal((await exporter.export([batch(1)], soon())).delivered, 1)
    assert.equal((await exporter.export([batch(1)], soon())).delivered, 1)
    assert.equal(server.sessions.size, 2)
    const [, second] = [...server.sessions]
    second!.close()
    while (!second!.destroyed) await delay(5)
    assert.equal((await exporter.export([batch(1)], soon())).delivered, 1)
    assert.equal(server.sessions.size, 3)
    for (const session of server.sessions) session.destroy()
    assert.equal((await exporter.export([batch(1)], soon())).delivered, 1)
    assert.deepEqual(lines, [])
    await exporter.close()
    server.close()
  })

  it('comes back to a server that was away', async () => {
    const first = await keeping()
    const { exporter } = make(first.url)
    assert.equal((await exporter.export([batch(1)], soon())).delivered, 1)
    first.close()
    const pending = exporter.export([batch(2)], Number.POSITIVE_INFINITY)
    await delay(300)
    const second = await keeping(undefined, { address: `127.0.0.1:${first.port}` })
    assert.equal((await pending).delivered, 2)
    assert.deepEqual(second.taken, ids(2))
    await exporter.close()
    second.close()
  })

  it('ends what is under way when it is closed, and hurries when it is told to', async () => {
    const server = await http2(() => {})
    const { exporter } = make(server.url)
    const pending = exporter.export([batch(2)], Number.POSITIVE_INFINITY)
    await delay(50)
    exporter.hurry(soon(200))
    assert.deepEqual(accounts(await pending), { delivered: 0, dropped: new Map([['timeout', 2]]) })
    const last = exporter.export([batch(2)], Number.POSITIVE_INFINITY)
    await delay(50)
    await exporter.close()
    assert.deepEqual(accounts(await last), { delivered: 0, dropped: new Map([['closed', 2]]) })
    server.close()
  })
})

describe('OTLP over gRPC: TLS and proxies', () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-grpc-tls-'))
  const path = (name: string): string => join(folder, name)
  let available = true
  before(() => {
    available = makeCertificates(folder)
  })
  after(() => rmSync(folder, { recursive: true }))

  const secure = async () => {
    const pair = {
      private_key: readFileSync(path('server.key')),
      cert_chain: readFileSync(path('server.pem')),
    }
    const credentials = ServerCredentials.createSsl(readFileSync(path('ca.pem')), [pair], true)
    const server = await keeping(undefined, { credentials })
    return { ...server, url: server.url.replace('http:', 'https:') }
  }
  const files = () => ({
    certificate: path('ca.pem'),
    clientKey: path('client.key'),
    clientCertificate: path('client.pem'),
  })

  it('trusts the given authority and shows its certificate', async (t) => {
    if (!available) return t.skip('openssl is not installed')
    const server = await secure()
    const { exporter } = make(server.url, files())
    assert.equal((await exporter.export([batch(3)], soon())).delivered, 3)
    await exporter.close()
    server.close()
  })

  it('sends nothing to a server whose certificate it cannot verify, or when a file is missing', async (t) => {
    if (!available) return t.skip('openssl is not installed')
    const server = await secure()
    for (const certificate of [undefined, path('missing.pem')]) {
      const { exporter, lines } = make(server.url, { ...files(), certificate })
      assert.deepEqual(accounts(await exporter.export([batch(3)], soon(600))), {
        delivered: 0,
        dropped: new Map([['endpoint', 3]]),
      })
      assert.match(lines[0]!, certificate === undefined ? /CERT|certificate/i : /ENOENT.*missing\.pem/)
      await exporter.close()
    }
    assert.deepEqual(server.taken, [])
    server.close()
  })

  /** Proxies that do as asked, or refuse. */
  async function proxy(refuse = false) {
    const asked: string[] = []
    const server = createHttpServer()
    const sockets = new Set<Socket>()
    server.on('connect', (request, socket: Socket, head) => {
      sockets.add(socket)
      socket.on('error', () => {})
      asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`)
      if (refuse) {
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
        return
      }
      const [host, port] = request.url!.split(':')
      const onward = connect(Number(port), host!, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        onward.write(head)
        onward.pipe(socket).pipe(onward)
      })
      onward.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      asked,
      url: `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}`,
      close() {
        for (const socket of sockets) socket.destroy()
        server.close()
      },
    }
  }
  const withEnvironment = async (env: Record<string, string>, run: () => Promise<void>) => {
    Object.assign(process.env, env)
    try {
      await run()
    } finally {
      for (const name in env) delete process.env[name]
    }
  }

  it('goes through the proxy that clients of gRPC go through', async (t) => {
    if (!available) return t.skip('openssl is not installed')
    const via = await proxy()
    const [plain, encrypted] = [await keeping(), await secure()]
    await withEnvironment({ grpc_proxy: via.url, no_proxy: 'localhost, .example' }, async () => {
      for (const [url, more] of [
        [plain.url, {}],
        [encrypted.url, files()],
      ] as const) {
        const { exporter, lines } = make(url, more)
        assert.equal((await exporter.export([batch(2)], soon())).delivered, 2, lines.join())
        await exporter.close()
      }
    })
    const credentials = `Basic ${Buffer.from('user:secret').toString('base64')}`
    assert.deepEqual(via.asked, [
      `127.0.0.1:${plain.port} ${credentials}`,
      `127.0.0.1:${encrypted.port} ${credentials}`,
    ])
    await withEnvironment({ https_proxy: via.url, no_grpc_proxy: '127.0.0.1' }, async () => {
      const { exporter } = make(plain.url)
      assert.equal((await exporter.export([batch(2)], soon())).delivered, 2)
      await exporter.close()
    })
    assert.equal(via.asked.length, 2)
    via.close()
    plain.close()
    encrypted.close()
  })

  it('goes straight to the hosts and domains that are excepted', () => {
    const env = { https_proxy: 'http://proxy:3128', no_proxy: 'Local, .example,::1' }
    for (const [url, isProxied] of [
      ['http://local:4317', false],
      ['https://a.example', false],
      ['http://[::1]:4317', false],
      ['http://[::2]:4317', true],
      ['http://notlocal', true],
    ] as const)
      assert.equal(grpcProxy(new URL(url), env) !== undefined, isProxied, url)
  })

  it('counts what a proxy refuses or does not answer', async () => {
    const server = await keeping()
    const refusing = await proxy(true)
    const silent = createServer((socket) => socket.resume().on('error', () => {}))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const cases: [string, string, RegExp][] = [
      [refusing.url, 'endpoint', /the proxy answers with status 403/],
      [`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, 'timeout', /does not answer in time/],
    ]
    for (const [url, cause, words] of cases) {
      await withEnvironment({ http_proxy: url }, async () => {
        const { exporter, lines } = make(server.url, { timeout: 200 })
        assert.deepEqual(accounts(await exporter.export([batch(2)], soon(900))), {
          delivered: 0,
          dropped: new Map([[cause, 2]]),
        })
        assert.match(lines[0]!, words)
        assert.doesNotMatch(lines[0]!, /secret/)
        await exporter.close()
      })
    }
    assert.deepEqual(server.taken, [])
    refusing.close()
    silent.close()
    server.close()
  })
})
