import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { AgentConfigSource } from '#dist/collector/central/agent-config.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Service, until } from './support.js'

/** A server of the form that APM Server has: `GET /config/v1/agents`. */
class ConfigServer {
  readonly requests: IncomingMessage[] = []
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    response.end()
  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<ConfigServer> {
    const server = createServer()
    const own = new ConfigServer(server)
    server.on('request', (request, response) => {
      own.requests.push(request)
      own.answer(request, response)
    })
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
    return own
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Gives settings by their tag, as APM Server does: 304 to who has them. */
  give(settings: object | string, age = 'max-age=1, must-revalidate'): void {
    const body = typeof settings === 'string' ? settings : JSON.stringify(settings)
    const etag = `"${Buffer.from(body).toString('base64url').slice(0, 40)}"`
    this.answer = (request, response) => {
      const isKnown = request.headers['if-none-match'] === etag
      const fields = { etag, 'cache-control': age, 'content-type': 'application/json' }
      response.writeHead(isKnown ? 304 : 200, fields).end(isKnown ? undefined : body)
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((closed) => this.server.close(closed))
  }
}

describe('a look at /config/v1/agents', () => {
  let server: ConfigServer
  before(async () => {
    server = await ConfigServer.start()
  })
  after(() => server.close())

  const source = (headers = {}) =>
    new AgentConfigSource(
      {
        form: 'agents',
        url: `${server.url}/config/v1/agents`,
        headers,
        interval: 300_000,
        certificate: undefined,
        clientKey: undefined,
        clientCertificate: undefined,
      },
      { name: 'a&b ü', environment: 'prod' },
    )

  it('names service and environment, and then what it has', async () => {
    const own = source({ authorization: 'Bearer secret' })
    server.give({ sampling_rate: '1' })
    assert.deepEqual(await own.look(), { kind: 'other', text: '{"sampling_rate":"1"}' })
    const { url, method, headers } = server.requests.at(-1)!
    const { pathname, searchParams } = new URL(url!, server.url)
    assert.deepEqual([method, pathname, headers.authorization], ['GET', '/config/v1/agents', 'Bearer secret'])
    assert.deepEqual(
      [...searchParams],
      [
        ['service.name', 'a&b ü'],
        ['service.environment', 'prod'],
      ],
    )
    assert.deepEqual(await own.look(), { kind: 'same' })
    server.give({})
    assert.deepEqual(await own.look(), { kind: 'other', text: '{}' })
    await own.close()
  })

  it('tells no tag of settings that do not all hold', async () => {
    const own = source()
    server.give({ odd: '1' })
    await own.look()
    own.tell({ problem: 'odd is not known', effective: {} })
    assert.equal((await own.look()).kind, 'other')
    assert.equal(server.requests.at(-1)!.headers['if-none-match'], undefined)
    await own.close()
  })

  it('is as often as the server asks for, within bounds', async () => {
    const own = source()
    for (const [field, interval] of [
      ['max-age=30, must-revalidate', 30_000],
      ['max-age=1', 5_000],
      ['private, MAX-AGE="60"', 60_000],
      ['max-age=99999999999', 3_600_000],
      ['max-age=0', 300_000],
      ['max-age=-5', 300_000],
      ['s-max-age=7', 300_000],
      ['no-store', 300_000],
    ] as const) {
      server.give({}, field)
      await own.look()
      assert.equal(own.interval, interval, field)
    }
    await own.close()
  })

  it('fails with a reason where there are no settings', async () => {
    const own = source()
    const why = async (answer: (response: ServerResponse) => void): Promise<string> => {
      server.answer = (_request, response) => answer(response)
      const look = await own.look()
      return look.kind === 'failed' ? look.why : look.kind
    }
    assert.match(await why((response) => response.writeHead(401).end()), /THREADSPAN_CENTRAL_CONFIG_HEADERS/)
    assert.match(await why((response) => response.writeHead(403).end('{}')), /403/)
    assert.match(await why((response) => response.writeHead(404).end()), /404/)
    assert.match(await why((response) => response.writeHead(503).end()), /503/)
    assert.match(await why((response) => response.destroy()), /ECONNRESET|connection was closed/)
    assert.match(await why((response) => response.end(Buffer.alloc(1 << 20, 'x'))), /larger than 65536 bytes/)
    assert.match(
      await why((response) => response.writeHead(200, { 'content-length': '100' }).end('x')),
      /connection|ECONNRESET/,
    )
    await own.close()
  })

  it('follows nobody elsewhere', async () => {
    const other = await ConfigServer.start()
    other.give({ recording: 'false' })
    const own = source()
    server.answer = (_request, response) =>
      response.writeHead(302, { location: `${other.url}/config/v1/agents` }).end()
    assert.deepEqual(await own.look(), { kind: 'failed', why: 'it answers with status 302' })
    assert.equal(other.requests.length, 0)
    await Promise.all([own.close(), other.close()])
  })
})

describe('settings in the form of APM Server', () => {
  it('hold in every thread and child, change, and are taken back; what cannot be used leaves them', async () => {
    const server = await ConfigServer.start()
    const secret = 'user:password@'
    server.give({ transaction_sample_rate: '0', unheard_of: '1' })
    const service = await Service.start({
      NO_SERVER: '1',
      THREADSPAN_CENTRAL_CONFIG: server.url.replace('//', `//${secret}`),
      OTEL_TRACES_EXPORTER: 'none',
    })
    try {
      await service.ask('workers', 5)
      await service.ask('children', 2)
      const follow = (value: number) =>
        until(async () => {
          const threads = await service.ask<number[]>('round')
          const children = await service.ask<number[]>('ask')
          return [...threads, ...children].every((count) => count === value)
        })
      await follow(0)
      assert.match(service.lines('THREADSPAN_CENTRAL_INVALID').join(), /unheard_of is not known/)
      server.give({ transaction_sample_rate: '1.0' })
      await follow(20)
      const { url } = server.requests.at(-1)!
      assert.match(url!, /^\/config\/v1\/agents\?service\.name=central$/)
      server.give('<html>')
      await until(() => service.lines('THREADSPAN_CENTRAL_INVALID').length === 2)
      await follow(20)
      server.give({ recording: 'false' })
      await follow(0)
      server.give({})
      await follow(20)
      // A second look at the same, wrong or not, is told of no more.
      assert.equal(service.lines('THREADSPAN_CENTRAL_INVALID').length, 2)
      assert.ok(!service.stderr.includes(secret))
      const port = Number(new URL(server.url).port)
      await server.close()
      await until(() => service.lines('THREADSPAN_CENTRAL_UNREACHABLE').length === 1)
      const again = await ConfigServer.start(port)
      again.give({ recording: 'false' })
      await follow(0)
      assert.equal(service.lines('THREADSPAN_CENTRAL_RECOVERED').length, 1)
      await again.close()
    } finally {
      assert.equal(await service.end(), 0)
    }
  })

  it('are not asked for where that is off, or the address is none', async () => {
    const server = await ConfigServer.start()
    server.give({ recording: false })
    const run = async (env: Record<string, string>) => {
      const { stderr } = await runProgram(fixture('central/once.cjs'), {
        node: ['--require', PRELOAD],
        env: { OTEL_TRACES_EXPORTER: 'none', ...env },
      })
      return stderr
    }
    const opamp = { ELASTIC_OTEL_OPAMP_ENDPOINT: server.url }
    assert.equal(await run({ ...opamp, THREADSPAN_CENTRAL_CONFIG: 'Off' }), '')
    for (const url of ['ftp://x', 'elsewhere', 'file:///etc/passwd'])
      assert.match(
        await run({ THREADSPAN_CENTRAL_CONFIG: url }),
        /THREADSPAN_CENTRAL_CONFIG: the value is no URL .*THREADSPAN_ENV_INVALID/,
      )
    assert.equal(server.requests.length, 0)
    assert.match(
      await run({ ...opamp, THREADSPAN_CENTRAL_CONFIG: server.url }),
      /ELASTIC_OTEL_OPAMP_ENDPOINT: THREADSPAN_CENTRAL_CONFIG is set too/,
    )
    assert.match(server.requests[0]!.url!, /^\/config\/v1\/agents/)
    await server.close()
  })
})
