import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'
import { OpampServer, Service, until } from './support.js'

const APPLIED = 1
const FAILED = 3
const SERVER = 2

const pace = { ELASTIC_OTEL_EXPERIMENTAL_OPAMP_HEARTBEAT_INTERVAL: '200' }

describe('settings by OpAMP', () => {
  let receiver: Receiver
  let server: OpampServer
  let service: Service
  before(async () => {
    receiver = await Receiver.start()
    server = await OpampServer.start()
    service = await Service.start({
      ...pace,
      ELASTIC_OTEL_OPAMP_ENDPOINT: server.endpoint.replace('http://', '').replace('/v1/opamp', ''),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
    })
  })
  after(async () => {
    await service.end()
    await Promise.all([server.close(), receiver.close()])
  })

  /** The server spans of some requests, once those of a last one have come that is recorded. */
  const spansOf = async (count: number, path: string): Promise<ReceivedSpan[]> => {
    receiver.spans.length = 0
    await service.requests(count, path)
    let settled = -1
    await until(async () => {
      if (receiver.spans.length === settled) return true
      settled = receiver.spans.length
      await new Promise((resolve) => setTimeout(resolve, 500))
      return false
    })
    return receiver.spans.filter(({ kind }) => kind === SERVER)
  }

  it('are asked for with what identifies the service', async () => {
    const { agentDescription, capabilities, instanceUid } = await until(() => server.messages[0])
    const attributes = Object.fromEntries(
      agentDescription!.identifyingAttributes.map(({ key, value }) => [key, value.value.value]),
    )
    assert.equal(attributes['service.name'], 'central')
    assert.equal(attributes['deployment.environment.name'], 'staging')
    assert.equal(capabilities, 0x3007n)
    assert.equal(instanceUid.length, 16)
    assert.equal(instanceUid[6]! >> 4, 7)
  })

  it('change the share of transactions that are recorded, and are taken back, without a restart', async (t) => {
    const { pid } = service
    const all = await spansOf(10_000, '/')
    assert.equal(all.length, 10_000)
    assert.equal((await server.offer({ sampling_rate: '0.1' })).status, APPLIED)
    const some = await spansOf(10_000, '/')
    // Five standard deviations of a binomial distribution.
    assert.ok(Math.abs(some.length - 1000) < 150, `${some.length} of 10,000`)
    const within = receiver.named('within')
    assert.equal(within.length, some.length)
    assert.equal((await server.offer({ transaction_sample_rate: 0 })).status, APPLIED)
    assert.equal((await spansOf(200, '/')).length, 0)
    assert.equal(server.effective['sampling_rate'], 0)
    assert.equal((await server.offer({})).status, APPLIED)
    assert.equal(server.effective['sampling_rate'], 1)
    assert.equal((await spansOf(10_000, '/')).length, 10_000)
    assert.equal(service.pid, pid)
    t.diagnostic(`of 10,000 requests ${all.length} were recorded before, ${some.length} at 0.1, 10,000 after`)
  })

  it('are withdrawn with the whole document, and with its last file', async () => {
    for (const nothing of [undefined, '{}']) {
      await server.offer({ sampling_rate: 0, recording: false })
      assert.deepEqual([server.effective['sampling_rate'], server.effective['recording']], [0, false])
      assert.equal((await server.offer(nothing)).status, APPLIED)
      assert.deepEqual([server.effective['sampling_rate'], server.effective['recording']], [1, true])
    }
    assert.equal((await server.offer({ recording: 'false' }, '')).status, APPLIED)
    assert.equal((await spansOf(20, '/')).length, 0)
    await server.offer({})
  })

  it('that cannot be used leave what holds, with one line each', async () => {
    await server.offer({ sampling_rate: 0.5, recording: true })
    const wrong: [string | object, RegExp][] = [
      ['{"sampling_rate": 0.', /it is no JSON/],
      ['[1, 2]', /it is no object of names and values/],
      ['null', /it is no object of names and values/],
      [{ sampling_rate: 2 }, /sampling_rate is not a number from 0 to 1/],
      [{ sampling_rate: '0x1' }, /sampling_rate is not a number/],
      [
        { sampling_rate: 0.1, transaction_sample_rate: 0.2 },
        /sampling_rate and transaction_sample_rate are one setting and differ/,
      ],
      [{ recording: 'yes', sampling_rate: '0.5' }, /recording is not "true" or "false"/],
      [
        '{"__proto__": {"recording": false}, "constructor": 1, "toString": "x", "sampling_rate": "0.5"}',
        /__proto__ is not known; constructor is not known; toString is not known/,
      ],
      [
        { server_url: 'http://127.0.0.1:1/', sampling_rate: 0.5 },
        /server_url cannot change while a process runs/,
      ],
      [
        { instrumentation: '/etc/passwd', 'x\u001b[31m\n': 'y', sampling_rate: 0.5 },
        /instrumentation is not known; \(no name\) is not known/,
      ],
      [
        { transaction_ignore_urls: Array(101).fill('/x'), sampling_rate: 0.5 },
        /transaction_ignore_urls is not a list/,
      ],
      [
        { sampling_rate: 0.5, transaction_ignore_urls: Array(60).fill('x'.repeat(500)) },
        /larger than 12288 bytes/,
      ],
      [Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`a${i}`, i])), /more than 200 settings/],
    ]
    for (const [settings, message] of wrong) {
      const before = service.lines('THREADSPAN_CENTRAL_INVALID').length
      const { status, errorMessage } = await server.offer(settings)
      assert.equal(status, FAILED, errorMessage)
      assert.match(errorMessage, message)
      assert.equal(server.effective['sampling_rate'], 0.5, errorMessage)
      assert.equal(server.effective['recording'], true)
      const lines = service.lines('THREADSPAN_CENTRAL_INVALID').slice(before)
      assert.equal(lines.length, 1, lines.join('\n'))
      assert.match(lines[0]!, message)
    }
    assert.ok(!service.stderr.includes('passwd') && !service.stderr.includes('\u001b'))
    assert.equal((await server.offer('sampling_rate: 1', 'elastic', 'text/yaml')).status, FAILED)
    await server.offer({})
  })

  it('larger than settings are leave what holds', async () => {
    await server.offer({ sampling_rate: 0 })
    const before = service.lines('THREADSPAN_CENTRAL_UNREACHABLE').length
    const offered = server.offer({ sampling_rate: 1, filling: 'x'.repeat(1 << 20) })
    const [line] = await until(() => {
      const lines = service.lines('THREADSPAN_CENTRAL_UNREACHABLE').slice(before)
      return lines.length > 0 && lines
    })
    assert.match(line!, /its answer is larger than 65536 bytes/)
    assert.equal((await spansOf(20, '/')).length, 0)
    offered.catch(() => {})
    await server.offer({})
    await until(() => service.lines('THREADSPAN_CENTRAL_RECOVERED').length > 0)
    assert.equal((await spansOf(20, '/')).length, 20)
  })

  it('name transactions by groups, and leave requests out', async () => {
    await server.offer({
      transaction_name_groups: 'GET /user/*/cart, (?-i)GET /Case/*',
      transaction_ignore_urls: '/health*, *.PNG',
    })
    const names = async (path: string) => (await spansOf(1, path)).map(({ name }) => name)
    assert.deepEqual(await names('/user/42/cart?x=1'), ['GET /user/*/cart'])
    assert.deepEqual(await names('/USER/42/cart'), ['GET /user/*/cart'])
    assert.deepEqual(await names('/user/42'), ['GET'])
    assert.deepEqual(await names('/Case/1'), ['GET /Case/*'])
    assert.deepEqual(await names('/case/1'), ['GET'])
    assert.deepEqual(await names('/healthz'), [])
    assert.deepEqual(receiver.named('within'), [], 'nor is what is within them')
    assert.deepEqual(await names('/pictures/a.png'), [])
    assert.deepEqual(await names('/?file=.png'), ['GET'])
    await server.offer({})
    assert.deepEqual(await names('/user/42/cart'), ['GET'])
    assert.deepEqual(await names('/healthz'), ['GET'])
  })

  it('deactivate instrumentations, and activate them again', async () => {
    for (const off of [
      { deactivate_instrumentations: 'undici,@opentelemetry/instrumentation-http' },
      { disable_instrumentations: ['http'] },
      { deactivate_all_instrumentations: 'true' },
    ]) {
      assert.equal((await server.offer(off)).status, APPLIED)
      assert.equal((await spansOf(5, '/')).length, 0)
      assert.equal(receiver.named('within').length, 5, 'what the program makes itself is made')
    }
    await server.offer({ deactivate_instrumentations: 'pg' })
    assert.equal((await spansOf(5, '/')).length, 5)
    await server.offer({})
    assert.deepEqual(server.effective['deactivate_instrumentations'], [])
  })

  it('bound the frames of stacks', async () => {
    const frames = async (): Promise<number | undefined> => {
      await spansOf(1, '/error')
      const stack = receiver.named('within')[0]!.events[0]!.attributes['exception.stacktrace'] as
        | string
        | undefined
      return stack?.split('\n').filter((line) => line.startsWith('    at ')).length
    }
    const all = await frames()
    assert.ok(all! > 3)
    await server.offer({ stack_trace_limit: 3 })
    assert.equal(await frames(), 3)
    await server.offer({ stack_trace_limit: '0' })
    assert.equal(await frames(), undefined)
    await server.offer({})
    assert.equal(await frames(), all)
  })

  it('switch sending off, and what is not sent is accounted for', async () => {
    await server.offer({ send_traces: false, logging_level: 'off' })
    assert.equal((await spansOf(5, '/')).length, 0)
    await server.offer({ logging_level: 'debug' })
    assert.equal((await spansOf(5, '/')).length, 5)
    await server.offer({})
  })

  it('let nobody hear of changes where lines are switched off', async () => {
    const lines = service.stderr
    await server.offer({ logging_level: 'off' })
    await server.offer({ logging_level: 'off', sampling_rate: 0.25 })
    await server.offer({ logging_level: 'off', sampling_rate: 'x' })
    assert.equal(service.stderr, lines)
    await server.offer({})
    assert.match(service.stderr.slice(lines.length), /logging_level as the environment says/)
  })

  it('are asked for as often as they say', async () => {
    await server.offer({ opamp_polling_interval: '100ms' })
    assert.equal(server.effective['opamp_polling_interval'], 100)
    assert.equal((await server.offer({ opamp_polling_interval: '10ms' })).status, FAILED)
    await server.offer({})
    assert.equal(server.effective['opamp_polling_interval'], 200)
    assert.deepEqual(server.errors, [])
  })
})

describe('200 threads and 20 children', () => {
  it('follow the settings of one server within one look, blocked or not', async (t) => {
    const server = await OpampServer.start()
    const service = await Service.start({
      ...pace,
      NO_SERVER: '1',
      ELASTIC_OTEL_OPAMP_ENDPOINT: server.endpoint,
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    })
    try {
      await service.ask('workers', 200)
      await service.ask('children', 20)
      const all = (value: number) => (counts: number[]) => counts.every((count) => count === value)
      assert.ok(all(0)(await service.ask('round')))
      assert.ok(all(0)(await service.ask('ask')))
      for (const [offer, expected] of [
        [{ sampling_rate: 1 }, 20],
        [{ sampling_rate: 1, recording: false }, 0],
        [{ sampling_rate: 1 }, 20],
        [{}, 0],
      ] as const) {
        const before = performance.now()
        await server.offer(offer)
        const applied = performance.now()
        // Those of this process at once, and a child that starts now.
        const counts = await service.ask<number[]>('round')
        assert.equal(counts.length, 200)
        assert.ok(all(expected)(counts), counts.join())
        assert.equal(await service.ask('short'), expected)
        const looks = { count: 0 }
        await until(async () => {
          looks.count++
          return all(expected)(await service.ask<number[]>('ask'))
        })
        t.diagnostic(
          `${JSON.stringify(offer)}: reported after ${Math.round(applied - before)} ms, all follow ${Math.round(performance.now() - applied)} ms later`,
        )
      }
      // Children ask no server themselves.
      assert.equal(
        new Set(server.messages.map(({ instanceUid }) => Buffer.from(instanceUid).toString('hex'))).size,
        1,
      )
    } finally {
      assert.equal(await service.end(), 0)
      await server.close()
    }
    assert.notEqual(server.messages.at(-1)?.agentDisconnect, undefined, 'it takes leave')
  })
})

describe('a server of OpAMP that is not there', () => {
  it('is told of once, leaves what holds, and is found again', async () => {
    let server = await OpampServer.start()
    const { port } = new URL(server.endpoint)
    const service = await Service.start({
      ...pace,
      NO_SERVER: '1',
      ELASTIC_OTEL_OPAMP_ENDPOINT: server.endpoint,
      OTEL_TRACES_EXPORTER: 'none',
    })
    await service.ask('workers', 1)
    await server.offer({ sampling_rate: 0 })
    await server.close()
    await until(() => service.lines('THREADSPAN_CENTRAL_UNREACHABLE').length === 1)
    assert.deepEqual(await service.ask('round'), [0])
    server = await OpampServer.start(Number(port), 'server_error_response_unknown')
    await until(() => server.messages.length > 0)
    await server.close()
    assert.deepEqual(await service.ask('round'), [0])
    server = await OpampServer.start(Number(port))
    await until(() => service.lines('THREADSPAN_CENTRAL_RECOVERED').length === 1)
    await server.offer({ sampling_rate: 1 })
    assert.deepEqual(await service.ask('round'), [20])
    assert.equal(service.lines('THREADSPAN_CENTRAL_UNREACHABLE').length, 1)
    assert.equal(await service.end(), 0)
    await server.close()
  })

  it('holds up neither the start nor the end of a program', async () => {
    const service = await Service.start({
      ...pace,
      NO_SERVER: '1',
      ELASTIC_OTEL_OPAMP_ENDPOINT: 'http://127.0.0.1:9/v1/opamp',
      OTEL_TRACES_EXPORTER: 'none',
    })
    await service.ask('workers', 1)
    assert.deepEqual(await service.ask('round'), [20])
    assert.equal(await service.end(), 0)
  })
})
