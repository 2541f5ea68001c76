import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { OpampSource } from '#dist/collector/central/opamp.js'
import { OpampServer } from './support.js'

const config = (url: string, files = {}) => ({
  form: 'opamp' as const,
  url,
  headers: {},
  interval: 30_000,
  certificate: undefined,
  clientKey: undefined,
  clientCertificate: undefined,
  ...files,
})

describe('a look at an OpAMP server', () => {
  let server: Server
  let answer: (response: ServerResponse) => void
  before(async () => {
    server = createServer((_request, response) => answer(response))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  })
  after(() => server.close())
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/opamp`

  it('that is no answer fails with a reason, and waits for as long as the server asks for', async () => {
    const source = new OpampSource(config(url()), {})
    const type = { 'content-type': 'application/x-protobuf' }
    const cases: [(response: ServerResponse) => void, RegExp, number][] = [
      [(response) => response.writeHead(500).end(), /status 500/, 30_000],
      [(response) => response.writeHead(429, { 'retry-after': '60' }).end(), /status 429/, 60_000],
      [(response) => response.writeHead(503, { 'retry-after': '1' }).end(), /status 503/, 30_000],
      [
        (response) => response.writeHead(503, { 'retry-after': '9999999999' }).end(),
        /status 503/,
        86_400_000,
      ],
      [
        (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
        /status 302/,
        30_000,
      ],
      [(response) => response.end('hello'), /is no OpAMP message/, 30_000],
      [(response) => response.writeHead(200, type).end('hello'), /is no OpAMP message/, 30_000],
      [
        (response) => response.writeHead(200, type).end(Buffer.alloc(1 << 20)),
        /larger than 65536 bytes/,
        30_000,
      ],
      [(response) => response.destroy(), /ECONNRESET|connection was closed/, 30_000],
    ]
    for (const [reply, why, interval] of cases) {
      answer = reply
      const look = await source.look()
      assert.ok(look.kind === 'failed' && why.test(look.why), JSON.stringify(look))
      assert.equal(source.interval, interval, look.why)
    }
    await source.close(0)
  })

  it('tells all of itself anew where the server has not got it', async () => {
    const opamp = await OpampServer.start()
    const port = Number(new URL(opamp.endpoint).port)
    const source = new OpampSource(config(opamp.endpoint), { 'service.name': 'a' })
    assert.deepEqual(await source.look(), { kind: 'same' })
    assert.deepEqual(await source.look(), { kind: 'same' })
    assert.deepEqual(
      opamp.messages.map(({ agentDescription, sequenceNum }) => [
        agentDescription !== undefined,
        sequenceNum,
      ]),
      [
        [true, 1n],
        [false, 2n],
      ],
    )
    await opamp.close()
    assert.equal((await source.look()).kind, 'failed')
    // Another one, that knows nothing of it and asks.
    const other = await OpampServer.start(port)
    await source.look()
    assert.ok(source.isDue)
    await source.look()
    assert.ok(!source.isDue)
    assert.notEqual(other.messages.at(-1)?.agentDescription, undefined)
    await source.close(Number.POSITIVE_INFINITY)
    assert.notEqual(other.messages.at(-1)?.agentDisconnect, undefined)
    await other.close()
  })

  it('over TLS trusts who it is told to, and shows its certificate', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-opamp-'))
    const openssl = (...options: string[]) =>
      execFileSync('openssl', options, { cwd: folder, stdio: 'ignore' })
    try {
      openssl('version')
    } catch {
      rmSync(folder, { recursive: true })
      return t.skip('openssl is not installed')
    }
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
    for (const name of ['server', 'client'])
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
        ...subject,
      )
    const path = (name: string) => join(folder, name)
    const read = (name: string) => readFileSync(path(name))
    const { MockOpAMPServer } = createRequire(import.meta.url)('@elastic/mockopampserver') as {
      MockOpAMPServer: new (
        options: object,
      ) => { endpoint: string; start(): Promise<void>; close(): Promise<void> }
    }
    const secure = new MockOpAMPServer({
      logLevel: 'fatal',
      hostname: '127.0.0.1',
      port: 0,
      cert: read('server.pem'),
      key: read('server.key'),
      ca: read('client.pem'),
      requestCert: true,
    })
    await secure.start()
    const files = {
      certificate: path('server.pem'),
      clientKey: path('client.key'),
      clientCertificate: path('client.pem'),
    }
    const known = new OpampSource(config(secure.endpoint, files), {})
    assert.deepEqual(await known.look(), { kind: 'same' })
    await known.close(0)
    for (const wrong of [
      {},
      { ...files, certificate: path('client.pem') },
      { ...files, clientKey: path('none') },
    ]) {
      const stranger = new OpampSource(config(secure.endpoint, wrong), {})
      assert.equal((await stranger.look()).kind, 'failed')
      await stranger.close(0)
    }
    await secure.close()
    rmSync(folder, { recursive: true })
  })
})
