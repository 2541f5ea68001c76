import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Flushed, HttpSurfacer, type Measurement } from 'threadspan'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

const file = (name: string): string => fixture(`surfacers/${name}`)

const run = (name: string, env: Record<string, string> = {}, args: string[] = []) =>
  runProgram(file(name), {
    node: ['--require', PRELOAD],
    args,
    env: { OTEL_TRACES_EXPORTER: 'none', ...env },
  })

describe('what a transaction measured', { timeout: 180_000 }, () => {
  it('is flushed with it exactly, by Workers of a pool and a child, a thousand at once', async () => {
    const { stdout, stderr } = await run('transactions.mjs', {}, ['1000'])
    assert.equal(stderr, '')
    assert.deepEqual(JSON.parse(stdout), { transactions: 1000, flushed: 1000, wrong: 0, late: 0 })
  })

  it('has every increment that returned in a Worker that was terminated', async () => {
    for (let round = 0; round < 3; round++) {
      const { stdout } = await run('terminated.mjs')
      const { counted, flushed, all } = JSON.parse(stdout) as Record<string, number>
      assert.ok(counted! >= 100)
      assert.ok(flushed! >= counted! && flushed! <= counted! + 4, stdout)
      assert.equal(all, flushed)
    }
  })

  it('is told as late where it comes behind the end, and as nobody’s outside of any', async () => {
    const { stdout, stderr } = await run('late.mjs')
    assert.equal(stderr, '')
    const { flushed, measurements } = JSON.parse(stdout) as {
      flushed: Flushed[]
      measurements: Measurement[]
    }
    const brief = ({ name, unit, value, attributes, isLate, transaction }: Measurement) => [
      name,
      unit,
      value,
      attributes,
      isLate,
      transaction?.name,
    ]
    assert.deepEqual(measurements.map(brief), [
      ['size', 'By', 7, { outside: true }, false, undefined],
      ['steps', '', 1, {}, false, 'short'],
      ['steps', '', 2, {}, true, 'renamed'],
    ])
    assert.deepEqual(
      flushed.map((one) => [one.transaction.name, one.measurements.map(({ value }) => value)]),
      [
        ['renamed', [1]],
        ['renamed', [2]],
      ],
    )
    for (const { time } of measurements) assert.ok(Math.abs(time - Date.now()) < 60_000)
  })

  it('is told to those that an instrument has brought along, of that alone', async () => {
    const { stdout, stderr } = await run('own-instruments.mjs')
    assert.equal(stderr, '')
    const orders = ['orders', '', 1]
    assert.deepEqual(JSON.parse(stdout), {
      early: [['all', [orders]]],
      late: [
        ['all', [['sizes', 'By', 2]]],
        ['one', [['sizes', 'By', 4]]],
      ],
      both: [
        ['all', [orders, ['sizes', 'By', 2]]],
        ['one', [['sizes', 'By', 4]]],
      ],
    })
  })

  it('is told before the program is gone, its open transactions among it', async () => {
    for (const ending of ['natural', 'exit']) {
      const { stdout } = await run('ends.mjs', {}, [ending])
      assert.deepEqual(JSON.parse(stdout), [3, 4, 'last', 'open'])
    }
  })
})

describe('surfacers that misbehave', { timeout: 120_000 }, () => {
  const told: Record<string, RegExp> = {
    throws: /surfacer \S*bad\.mjs: meant \(THREADSPAN_SURFACER\)/,
    hangs:
      /surfacer \S*bad\.mjs(?:,log)?: it has not come to an end in time; \d+ values and transactions were not told/,
    leaves: /surfacer \S*: left \(THREADSPAN_SURFACER\)/,
    rejects: /surfacer \S*bad\.mjs: refused \(THREADSPAN_SURFACER\)/,
  }
  for (const [BAD, line] of Object.entries(told)) {
    it(`are named, and harm nothing: one that ${BAD}`, async () => {
      const names = `${file('bad.mjs')},log`
      const { stdout, stderr, code } = await run('work.mjs', { BAD, THREADSPAN_SURFACERS: names })
      assert.deepEqual([stdout, code], ['done\n', 0])
      assert.match(stderr, line)
      assert.equal(stderr.match(/\(THREADSPAN_SURFACER\)/g)?.length, 1, stderr)
      if (BAD !== 'hangs') assert.equal(stderr.match(/^steps \d+ /gm)?.length, 20, stderr)
    })
  }

  it('hold up the end no longer than it may take: one that never settles, one that ends its thread', async () => {
    for (const BAD of ['never', 'exits']) {
      const start = performance.now()
      const { stdout, stderr, code } = await run('work.mjs', {
        BAD,
        THREADSPAN_SURFACERS: file('bad.mjs'),
        THREADSPAN_EXIT_TIMEOUT: '700',
      })
      assert.deepEqual([stdout, code], ['done\n', 0])
      if (BAD === 'exits') {
        const line =
          /surfacer \S*bad\.mjs: it has ended the thread of all surfacers; (\d+) values and transactions were not told/
        assert.ok(Number(line.exec(stderr)?.[1]) >= 1, stderr)
      }
      assert.ok(performance.now() - start < 10_000)
    }
  })

  it('are refused where they are none, and told of where they cannot be made', async () => {
    const { stdout, stderr } = await run('objects.mjs')
    assert.deepEqual(JSON.parse(stdout), {
      refused: new Array(3).fill('THREADSPAN_INVALID_ARGUMENT'),
      errors: 2,
      flushed: 1,
    })
    assert.match(stderr, /\[THREADSPAN_SURFACER\] ThreadspanWarning: surfacer Throwing: meant/)
    const named = await run('work.mjs', { THREADSPAN_SURFACERS: 'lgo,./nowhere.mjs,http' })
    assert.deepEqual([named.stdout, named.code], ['done\n', 0])
    assert.match(named.stderr, /THREADSPAN_SURFACERS: a member is neither "log" nor "http"/)
    assert.match(named.stderr, /surfacer \.\/nowhere\.mjs: it could not be made/)
    assert.match(named.stderr, /surfacer http: it could not be made: THREADSPAN_SURFACER_URL is not set/)
  })
})

interface Posted {
  transaction: { id: string; traceId: string; name: string } | null
  metrics: Record<string, { kind: string; value: number; unit: string; attributes: object }[]>
  leftOut?: number
}

/** A server of whoever wants to know. */
class Sink {
  readonly posts: Posted[] = []
  private server: Server | undefined
  port = 0

  async open(): Promise<this> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part) => parts.push(part))
      request.on('end', () => {
        assert.deepEqual([request.method, request.headers['content-type']], ['POST', 'application/json'])
        this.posts.push(JSON.parse(String(Buffer.concat(parts))))
        response.end()
      })
    })
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.server = server
    return this
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections()
    this.server?.close()
    await once(this.server!, 'close')
  }

  async until(count: number): Promise<void> {
    for (let turn = 0; turn < 400 && this.posts.length < count; turn++) await sleep(25)
  }
}

describe('a service', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-test-surfacers-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** The service, with surfacers by its environment. */
  async function serve(t: TestContext, env: Record<string, string>) {
    const inherited = { ...process.env }
    for (const name of Object.keys(inherited)) if (/^(OTEL|THREADSPAN)_/.test(name)) delete inherited[name]
    const child: ChildProcess = fork(file('service.mjs'), {
      execArgv: ['--require', PRELOAD],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...inherited, OTEL_TRACES_EXPORTER: 'none', ...env },
    })
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    const [port] = (await once(child, 'message')) as [number]
    const end = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.send('end')
      await once(child, 'close')
    }
    t.after(end)
    return {
      end,
      stderr: () => stderr,
      async request(path: string): Promise<number> {
        const start = performance.now()
        const [response] = (await once(get({ port, path }), 'response')) as [IncomingMessage]
        response.resume()
        await once(response, 'end')
        return performance.now() - start
      },
    }
  }

  let sink: Sink
  before(async () => {
    sink = await new Sink().open()
  })
  after(() => sink.close())

  it('has what it measures for a request arrive at a server, within a time', async (t) => {
    const service = await serve(t, {
      THREADSPAN_SURFACERS: 'http',
      THREADSPAN_SURFACER_URL: `http://127.0.0.1:${sink.port}/metrics`,
    })
    await service.request('/orders')
    await sink.until(1)
    const [posted, ...others] = sink.posts
    assert.deepEqual(others, [])
    assert.equal(posted!.transaction!.name, 'GET')
    assert.match(posted!.transaction!.id, /^[0-9a-f]{16}$/)
    const { requests, 'rss.growth': growth, 'http.server.request.duration': duration } = posted!.metrics
    assert.deepEqual(
      requests!.map(({ kind, value, attributes }) => [kind, value, attributes]),
      [['counter', 1, { path: '/orders' }]],
    )
    assert.deepEqual(
      growth!.map(({ kind, unit }) => [kind, unit]),
      [['histogram', 'By']],
    )
    assert.ok(growth![0]!.value >= 0)
    assert.deepEqual(
      duration!.map(({ kind, unit, attributes }) => [kind, unit, attributes]),
      [
        [
          'histogram',
          's',
          {
            'http.request.method': 'GET',
            'http.response.status_code': 200,
            'network.protocol.version': '1.1',
            'url.scheme': 'http',
          },
        ],
      ],
    )
    assert.ok(duration![0]!.value > 0.004 && duration![0]!.value < 5)
    await service.end()
    assert.equal(service.stderr(), '')
  })

  it('loses nothing while that server is down, and its requests are unharmed', async (t) => {
    sink.posts.length = 0
    const service = await serve(t, {
      THREADSPAN_SURFACERS: 'http',
      THREADSPAN_SURFACER_URL: `http://127.0.0.1:${sink.port}/metrics?token=secret`,
    })
    await service.request('/before')
    await sink.until(1)
    await sink.close()
    const times: number[] = []
    for (let i = 0; i < 50; i++) times.push(await service.request(`/down/${i}`))
    for (let turn = 0; turn < 200 && service.stderr() === ''; turn++) await sleep(25)
    assert.match(
      service.stderr(),
      /^threadspan: HttpSurfacer: http:\/\/127\.0\.0\.1:\d+\/metrics cannot be reached: \w+ \(THREADSPAN_SURFACER\)\n$/,
    )
    await sink.open()
    await sink.until(51)
    // On a busy machine some of a request's values come after its end, and are told by themselves.
    assert.deepEqual(
      sink.posts.flatMap(({ metrics }) => (metrics['requests'] ?? []).map(({ attributes }) => attributes)),
      ['/before', ...times.map((_, i) => `/down/${i}`)].map((path) => ({ path })),
    )
    await service.end()
    assert.match(service.stderr(), /is back \(THREADSPAN_SURFACER\)\n$/)
  })

  it('hears how many values of a transaction were too many for one request', async () => {
    sink.posts.length = 0
    const surfacer = new HttpSurfacer(`http://127.0.0.1:${sink.port}/metrics`)
    const transaction = { id: 'b7ad6b7169203331', traceId: '0af7651916cd43dd8448eb211c80319c', name: 'GET' }
    surfacer.clear(transaction)
    const value = { name: 'size', kind: 'histogram', unit: '', attributes: {}, time: 0 } as const
    for (let i = 0; i < 10_003; i++)
      surfacer.record({ ...value, value: i, transaction, isLate: false } satisfies Measurement)
    surfacer.flush(transaction)
    await sink.until(1)
    const [{ metrics, leftOut }] = sink.posts as [Posted]
    assert.deepEqual([metrics['size']!.length, leftOut, surfacer.dropped], [10_000, 3, 0])
  })

  it('has it in its log', async (t) => {
    const service = await serve(t, { THREADSPAN_SURFACERS: 'log' })
    await service.request('/logged')
    await service.end()
    const lines = service.stderr().trim().split('\n')
    assert.equal(lines.length, 3, service.stderr())
    assert.match(
      lines[0]!,
      /^requests 1 \{"metric":\{"name":"requests".*"path":"\/logged".*"trace_id":"[0-9a-f]{32}".*"transaction":"GET"\}$/,
    )
    assert.match(service.stderr(), /^rss\.growth \d+ By \{/m)
    assert.match(service.stderr(), /^http\.server\.request\.duration [\d.]+ s \{/m)
  })

  it('has it told to a module of its own', async (t) => {
    const OWN_SURFACER = join(folder, 'own.log')
    const service = await serve(t, { THREADSPAN_SURFACERS: file('own.mjs'), OWN_SURFACER })
    await service.request('/one')
    await service.end()
    const lines = readFileSync(OWN_SURFACER, 'utf8').trim().split('\n')
    const id = /^clear ([0-9a-f]{16})$/.exec(lines[0]!)![1]
    assert.deepEqual(lines.slice(1, -2).sort(), [
      'record http.server.request.duration GET',
      'record requests GET',
      'record rss.growth GET',
    ])
    assert.deepEqual(lines.slice(-2), [`flush ${id} GET`, 'close'])
    assert.equal(service.stderr(), '')
  })
})
