import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { get } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { type DatabaseServer, noRedis, startRedis } from '../support/databases.js'
import { fixture, PRELOAD } from '../support/program.js'
import { Receiver } from '../support/receiver.js'
import { OpampServer, until } from './support.js'

describe('what a server can switch', () => {
  let receiver: Receiver
  let server: OpampServer
  let redis: DatabaseServer | undefined
  let child: ChildProcess
  let ports: Record<string, number>
  before(async () => {
    receiver = await Receiver.start()
    server = await OpampServer.start()
    if (noRedis === false) redis = await startRedis()
    child = fork(fixture('central/frameworks.cjs'), {
      execArgv: ['--require', PRELOAD],
      env: {
        ...process.env,
        ELASTIC_OTEL_OPAMP_ENDPOINT: server.endpoint,
        ELASTIC_OTEL_EXPERIMENTAL_OPAMP_HEARTBEAT_INTERVAL: '200',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_BLRP_SCHEDULE_DELAY: '50',
        OTEL_METRIC_EXPORT_INTERVAL: '100',
        ...(redis === undefined ? {} : { REDIS_PORT: String(redis.port) }),
      },
    })
    ports = await new Promise((ready) => child.once('message', (message) => ready(message as never)))
  })
  after(async () => {
    const ended = new Promise((exit) => child.once('exit', exit))
    child.send(['end'])
    await ended
    await Promise.all([receiver.close(), server.close(), redis?.stop()])
  })

  it('the frameworks that name transactions', async () => {
    const routes = async (): Promise<Record<string, unknown>> => {
      const found: Record<string, unknown> = {}
      for (const [name, port] of Object.entries(ports)) {
        receiver.spans.length = 0
        await new Promise((done) =>
          get({ host: '127.0.0.1', port, path: '/items/1' }, (answer) => answer.resume().on('end', done)),
        )
        const span = await until(() => receiver.spans.find(({ kind }) => kind === 2))
        found[name] = span.attributes['http.route'] !== undefined && span.name.startsWith('GET /items/')
      }
      return found
    }
    const all = { express: true, fastify: true, hapi: true, koa: true }
    assert.deepEqual(await routes(), all)
    for (const name of Object.keys(all)) {
      await server.offer({ deactivate_instrumentations: name })
      assert.deepEqual(await routes(), { ...all, [name]: false })
    }
    await server.offer({})
    assert.deepEqual(await routes(), all)
  })

  it('the statements of databases', { skip: noRedis }, async () => {
    const texts = async (): Promise<unknown> => {
      receiver.spans.length = 0
      const answered = new Promise((done) => child.once('message', done))
      child.send(['set'])
      await answered
      return (await until(() => receiver.named('SET')[0])).attributes['db.query.text']
    }
    assert.equal(await texts(), 'SET ? ?')
    await server.offer({ capture_statement: false })
    assert.equal(await texts(), undefined)
    await server.offer({})
    assert.equal(await texts(), 'SET ? ?')
  })

  it('log records', async () => {
    const comes = () =>
      until(() => {
        child.send(['log'])
        return receiver.logs.length > 0
      })
    await comes()
    await server.offer({ send_logs: false })
    await until(async () => {
      receiver.logs.length = 0
      child.send(['log'])
      await new Promise((later) => setTimeout(later, 1000))
      return receiver.logs.length === 0
    })
    await server.offer({})
    await comes()
  })

  it('metrics', async () => {
    const comes = () => until(() => receiver.metrics.length > 0)
    await comes()
    await server.offer({ send_metrics: 'false' })
    // Ten times as long as it takes for more to come.
    await until(async () => {
      receiver.metrics.length = 0
      await new Promise((later) => setTimeout(later, 1000))
      return receiver.metrics.length === 0
    })
    assert.equal(server.effective['send_metrics'], false)
    await server.offer({})
    await comes()
  })
})
