import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { OtlpExporter } from '#dist/export/otlp-exporter.js'
import type { OtlpConfig } from '../../src/config/otlp.js'
import { makeCertificates } from './certificates.js'
import { accounts, batch, freePort, journal, otlpConfig, receiver, soon, tcp, total } from './support.js'

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `span ${i + 1}`)

function make(url: string, more: Partial<OtlpConfig> = {}, maxBytes?: number) {
  const { log, lines } = journal()
  return { exporter: new OtlpExporter(otlpConfig(url, more), log, maxBytes), lines }
}

const codes = (lines: string[]): string[] => lines.map((line) => line.split(' ')[1]!)

/** `ExportTraceServiceResponse { partial_success { rejected_spans, error_message } }` */
function partial(rejected: number, message: string): Buffer {
  const inner = Buffer.concat([Buffer.of(0x08, rejected, 0x12, message.length), Buffer.from(message)])
  return Buffer.concat([Buffer.of(0x0a, inner.length), inner])
}

describe('OTLP over HTTP: what is sent', () => {
  it('sends protobuf with its headers, over one kept connection', async () => {
    const server = await receiver()
    const { exporter, lines } = make(server.url, {
      headers: { authorization: 'Bearer secret', 'content-type': 'text/plain' },
    })
    for (let i = 0; i < 3; i++) {
      const result = await exporter.export([batch(4), batch(2, 0, 5)], soon())
      assert.deepEqual(result, { delivered: 6, dropped: new Map() })
    }
    assert.deepEqual(
      server.received.map(({ spans }) => spans),
      [names(6), names(6), names(6)],
    )
    const [first, second] = server.received.map(({ request }) => request)
    assert.equal(first!.method, 'POST')
    assert.equal(first!.url, '/v1/traces')
    assert.equal(first!.headers['content-type'], 'application/x-protobuf')
    assert.equal(first!.headers['authorization'], 'Bearer secret')
    assert.match(first!.headers['user-agent']!, /^threadspan\/\d/)
    assert.equal(first!.socket, second!.socket)
    assert.deepEqual(lines, [])
    await exporter.close()
    await server.close()
  })

  it('compresses', async () => {
    const server = await receiver()
    const { exporter } = make(server.url, { compression: 'gzip' })
    assert.equal((await exporter.export([batch(100, 200)], soon())).delivered, 100)
    const [{ request, spans }] = server.received as [(typeof server.received)[0]]
    assert.equal(request.headers['content-encoding'], 'gzip')
    assert.ok(Number(request.headers['content-length']) < 10_000)
    assert.deepEqual(spans, names(100))
    await exporter.close()
    await server.close()
  })

  it('cuts what is too much for one request at the borders of spans', async () => {
    const server = await receiver()
    const { exporter } = make(server.url, {}, 1000)
    const result = await exporter.export([batch(20, 150), batch(1, 5000, 21), batch(3, 0, 22)], soon())
    assert.deepEqual(result, { delivered: 24, dropped: new Map() })
    assert.deepEqual(
      server.received.flatMap(({ spans }) => spans),
      names(24),
    )
    assert.ok(server.received.length > 5)
    await exporter.close()
    await server.close()
  })

  it('takes credentials from the URL and shows them nowhere', async () => {
    const server = await receiver((_, response) => response.writeHead(401).end())
    const { exporter, lines } = make(server.url.replace('//', '//user:hunter2@'))
    await exporter.export([batch(1)], soon())
    const expected = `Basic ${Buffer.from('user:hunter2').toString('base64')}`
    assert.equal(server.received[0]!.request.headers['authorization'], expected)
    assert.match(lines[0]!, /refuses spans with status 401/)
    assert.doesNotMatch(lines.join(), /hunter2/)
    await exporter.close()
    await server.close()
  })

  it('makes no request without spans', async () => {
    const server = await receiver()
    const { exporter } = make(server.url)
    assert.deepEqual(await exporter.export([], soon()), { delivered: 0, dropped: new Map() })
    assert.deepEqual(await exporter.export([batch(0)], soon()), { delivered: 0, dropped: new Map() })
    assert.equal(server.received.length, 0)
    await exporter.close()
    await server.close()
  })
})

describe('OTLP over HTTP: answers', () => {
  for (const status of [429, 502, 503, 504]) {
    it(`repeats after ${status}`, async () => {
      const server = await receiver((_, response, index) =>
        response.writeHead(index < 2 ? status : 200).end(),
      )
      const { exporter } = make(server.url)
      assert.equal((await exporter.export([batch(2)], soon())).delivered, 2)
      assert.equal(server.received.length, 3)
      await exporter.close()
      await server.close()
    })
  }

  for (const status of [400, 401, 404, 408, 500, 301]) {
    it(`does not repeat after ${status}`, async () => {
      const body = Buffer.concat([Buffer.of(0x12, 9), Buffer.from('bad\x1b data')])
      const server = await receiver((_, response) =>
        response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end(body),
      )
      const { exporter, lines } = make(server.url)
      const result = await exporter.export([batch(3)], soon())
      assert.deepEqual(result, { delivered: 0, dropped: new Map([['rejected', 3]]) })
      await exporter.export([batch(3)], soon())
      assert.equal(server.received.length, 2)
      assert.equal(lines.length, 1, 'told once a minute')
      assert.match(
        lines[0]!,
        new RegExp(`^warn THREADSPAN_EXPORT_REJECTED .*status ${status}: bad\ufffd data$`),
      )
      await exporter.close()
      await server.close()
    })
  }

  it('waits as long as Retry-After says, and later calls wait too', async () => {
    const times: number[] = []
    const server = await receiver((_, response, index) => {
      times.push(performance.now())
      response.writeHead(index === 0 ? 503 : 200, { 'retry-after': '1' }).end()
    })
    const { exporter } = make(server.url)
    const first = exporter.export([batch(1)], soon())
    while (times.length === 0) await delay(5)
    await delay(50)
    const second = exporter.export([batch(1)], soon())
    assert.equal((await first).delivered + (await second).delivered, 2)
    for (const time of times.slice(1)) assert.ok(time - times[0]! >= 990)
    await exporter.close()
    await server.close()
  })

  it('gives up at once when Retry-After is beyond the deadline', async () => {
    const server = await receiver((_, response) => response.writeHead(429, { 'retry-after': '3600' }).end())
    const { exporter, lines } = make(server.url)
    const result = await exporter.export([batch(5)], soon(60_000))
    assert.deepEqual(accounts(result), { delivered: 0, dropped: new Map([['throttled', 5]]) })
    assert.deepEqual((await exporter.export([batch(5)], soon(60_000))).dropped, new Map([['throttled', 5]]))
    assert.equal(server.received.length, 1)
    assert.deepEqual(codes(lines), ['THREADSPAN_EXPORT_UNREACHABLE'])
    await exporter.close()
    await server.close()
  })

  it('halves what is too large until it fits, learns from it, and drops what never fits', async () => {
    const server = await receiver(({ body }, response) =>
      response.writeHead(body.length > 100_000 ? 413 : 200).end(),
    )
    const { exporter, lines } = make(server.url)
    const result = await exporter.export([batch(60, 8000), batch(1, 200_000, 61), batch(9, 100, 62)], soon())
    assert.deepEqual(result, { delivered: 69, dropped: new Map([['too-large', 1]]) })
    const accepted = server.received.filter(({ body }) => body.length <= 100_000)
    assert.deepEqual(accepted.flatMap(({ spans }) => spans).length, 69)
    assert.deepEqual(codes(lines), ['THREADSPAN_EXPORT_TOO_LARGE'])
    const before = server.received.length
    assert.equal((await exporter.export([batch(30, 8000)], soon())).delivered, 30)
    assert.ok(server.received.slice(before).every(({ body }) => body.length <= 100_000))
    await exporter.close()
    await server.close()
  })

  it('heeds an answer that comes before all is sent', async () => {
    const server = await tcp((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n'))
      socket.resume()
    })
    const { exporter } = make(server.url)
    const result = await exporter.export([batch(2, 20_000_000)], soon())
    assert.deepEqual(result, { delivered: 0, dropped: new Map([['too-large', 2]]) })
    await exporter.close()
    server.close()
  })

  it('counts a partial success, in protobuf and in JSON', async () => {
    const server = await receiver((_, response, index) => {
      const json = JSON.stringify({ partialSuccess: { rejectedSpans: '2', errorMessage: 'no' } })
      if (index === 0) response.setHeader('content-type', 'application/x-protobuf').end(partial(3, 'too old'))
      else response.setHeader('content-type', 'application/json').end(json)
    })
    const { exporter, lines } = make(server.url)
    assert.deepEqual(await exporter.export([batch(10)], soon()), {
      delivered: 7,
      dropped: new Map([['rejected', 3]]),
    })
    assert.deepEqual(await exporter.export([batch(10)], soon()), {
      delivered: 8,
      dropped: new Map([['rejected', 2]]),
    })
    assert.equal(server.received.length, 2)
    assert.match(lines[0]!, /^warn THREADSPAN_EXPORT_PARTIAL .*refused 3 of 10 spans: too old$/)
    await exporter.close()
    await server.close()
  })

  it('takes a success for a success when its body is broken, endless or torn', async () => {
    const server = await receiver((_, response, index) => {
      response.writeHead(200, { 'content-type': 'application/x-protobuf' })
      if (index === 0) response.end(Buffer.of(0x0a, 0xff, 0xff))
      else if (index === 1) response.write(Buffer.alloc(10), () => response.destroy())
      else response.end(Buffer.alloc(1_000_000))
    })
    const { exporter } = make(server.url)
    for (let i = 0; i < 3; i++) assert.equal((await exporter.export([batch(2)], soon())).delivered, 2)
    assert.equal(server.received.length, 3)
    await exporter.close()
    await server.close()
  })
})

describe('OTLP over HTTP: endpoints that fail', () => {
  it('tells of an outage once, keeps trying, and tells of its end', async () => {
    const port = await freePort()
    const { exporter, lines } = make(`http://127.0.0.1:${port}/v1/traces`)
    const lost = await exporter.export([batch(3)], soon(1200))
    assert.deepEqual(accounts(lost), { delivered: 0, dropped: new Map([['endpoint', 3]]) })
    const pending = exporter.export([batch(4)], soon(30_000))
    await delay(100)
    const server = await receiver(undefined, port)
    assert.deepEqual(await pending, { delivered: 4, dropped: new Map() })
    assert.deepEqual(codes(lines), ['THREADSPAN_EXPORT_UNREACHABLE', 'THREADSPAN_EXPORT_RECOVERED'])
    assert.match(lines[0]!, /nothing listens there \(ECONNREFUSED\)/)
    assert.match(lines[1]!, /^info .*; 3 spans were dropped$/)
    await exporter.close()
    await server.close()
  })

  it('says nothing of a failure that the next attempt makes good', async () => {
    const server = await receiver((_, response, index) => response.writeHead(index === 0 ? 503 : 200).end())
    const { exporter, lines } = make(server.url)
    await exporter.export([batch(1)], soon())
    assert.deepEqual(lines, [])
    await exporter.close()
    await server.close()
  })

  it('counts a name that does not resolve', async () => {
    const { exporter, lines } = make('http://nowhere.invalid:4318/v1/traces')
    const result = await exporter.export([batch(3)], soon(900))
    assert.equal(result.delivered, 0)
    assert.equal(total(result), 3)
    assert.deepEqual(codes(lines), ['THREADSPAN_EXPORT_UNREACHABLE'])
    await exporter.close()
  })

  it('gives up a server that hangs: at the timeout of the request, at the deadline at last', async () => {
    let connections = 0
    const server = await tcp(() => connections++)
    const { exporter } = make(server.url, { timeout: 150 })
    const result = await exporter.export([batch(3)], soon(1000))
    assert.deepEqual(accounts(result), { delivered: 0, dropped: new Map([['timeout', 3]]) })
    assert.ok(connections >= 2, `${connections} attempts`)
    await exporter.close()
    server.close()
  })

  it('repeats what was reset, before and in the middle of the body', async () => {
    const server = await tcp((socket, index) => {
      if (index === 0) socket.resetAndDestroy()
      else if (index === 1) socket.once('data', () => socket.resetAndDestroy())
      else {
        let size = 0
        socket.on('data', (chunk) => {
          size += chunk.length
          if (size > 3_000_000) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        })
      }
    })
    const { exporter } = make(server.url)
    const result = await exporter.export([batch(3, 1_000_000)], soon())
    assert.deepEqual(result, { delivered: 3, dropped: new Map() })
    await exporter.close()
    server.close()
  })

  it('tries again at once when a kept connection was closed meanwhile', async () => {
    const server = await receiver()
    const { exporter, lines } = make(server.url)
    await exporter.export([batch(1)], soon())
    server.server.closeAllConnections()
    // A deadline shorter than the first back-off: only an immediate attempt can be in time.
    assert.equal((await exporter.export([batch(1)], soon(10_000))).delivered, 1)
    assert.deepEqual(lines, [])
    await exporter.close()
    await server.close()
  })

  it('waits for a slow server within the timeout', async () => {
    const server = await receiver((_, response) => setTimeout(() => response.end(), 300))
    const { exporter } = make(server.url)
    assert.equal((await exporter.export([batch(2)], soon())).delivered, 2)
    assert.equal(server.received.length, 1)
    await exporter.close()
    await server.close()
  })

  it('drops everything when the deadline has passed already', async () => {
    const server = await receiver()
    const { exporter } = make(server.url)
    const result = await exporter.export([batch(2)], soon(-1))
    assert.deepEqual(accounts(result), { delivered: 0, dropped: new Map([['timeout', 2]]) })
    assert.equal(server.received.length, 0)
    await exporter.close()
    await server.close()
  })

  it('hurries: the deadline of calls under way comes nearer, and they are tried once more', async () => {
    const port = await freePort()
    const { exporter } = make(`http://127.0.0.1:${port}/v1/traces`)
    const pending = exporter.export([batch(2)], Number.POSITIVE_INFINITY)
    await delay(1500)
    const server = await receiver(undefined, port)
    exporter.hurry(soon(2000))
    assert.deepEqual(await pending, { delivered: 2, dropped: new Map() })
    await exporter.close()
    await server.close()
  })

  it('ends calls under way when it is closed, and takes no more', async () => {
    const server = await tcp(() => {})
    const { exporter } = make(server.url)
    const pending = exporter.export([batch(2)], Number.POSITIVE_INFINITY)
    await delay(50)
    await exporter.close()
    assert.deepEqual(accounts(await pending), { delivered: 0, dropped: new Map([['closed', 2]]) })
    assert.deepEqual((await exporter.export([batch(1)], soon())).dropped, new Map([['closed', 1]]))
    server.close()
  })
})

describe('OTLP over HTTPS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-tls-'))
  const path = (name: string): string => join(folder, name)
  let available = true

  before(() => {
    available = makeCertificates(folder)
  })
  after(() => rmSync(folder, { recursive: true }))

  const secure = () =>
    receiver(
      undefined,
      0,
      createSecureServer({
        key: readFileSync(path('server.key')),
        cert: readFileSync(path('server.pem')),
        ca: readFileSync(path('ca.pem')),
        requestCert: true,
        rejectUnauthorized: true,
      }) as never,
    )

  it('trusts the given authority and shows its certificate', async (t) => {
    if (!available) return t.skip('openssl is not installed')
    const server = await secure()
    const { exporter } = make(server.url, {
      certificate: path('ca.pem'),
      clientKey: path('client.key'),
      clientCertificate: path('client.pem'),
    })
    assert.equal((await exporter.export([batch(3)], soon())).delivered, 3)
    await exporter.close()
    await server.close()
  })

  it('sends nothing to a server whose certificate it cannot verify, or when a file is missing', async (t) => {
    if (!available) return t.skip('openssl is not installed')
    const server = await secure()
    for (const certificate of [undefined, path('missing.pem')]) {
      const { exporter, lines } = make(server.url, { certificate })
      const result = await exporter.export([batch(3)], soon(600))
      assert.deepEqual(accounts(result), { delivered: 0, dropped: new Map([['endpoint', 3]]) })
      assert.match(lines[0]!, certificate === undefined ? /CERT|certificate/i : /ENOENT.*missing\.pem/)
      await exporter.close()
    }
    assert.equal(server.received.length, 0)
    await server.close()
  })

  it('takes up a certificate that appears later', async (t) => {
    if (!available) return t.skip('openssl is not installed')
    const server = await secure()
    const late = path('late.pem')
    const { exporter } = make(server.url, {
      certificate: late,
      clientKey: path('client.key'),
      clientCertificate: path('client.pem'),
    })
    const pending = exporter.export([batch(3)], soon())
    await delay(100)
    assert.equal(existsSync(late), false)
    copyFileSync(path('ca.pem'), late)
    assert.equal((await pending).delivered, 3)
    await exporter.close()
    await server.close()
  })
})
