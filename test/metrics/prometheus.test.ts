import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, noPrometheus } from '../support/databases.js'
import { fixture, PRELOAD } from '../support/program.js'

/** Runs the service with its metrics on a port of its own. */
async function service(port: number): Promise<ChildProcess> {
  const env = { ...process.env }
  for (const name of Object.keys(env)) if (/^(OTEL|THREADSPAN)_/.test(name)) delete env[name]
  const child = fork(fixture('metrics/service.mjs'), {
    execArgv: ['--require', PRELOAD],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: {
      ...env,
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
      OTEL_SERVICE_NAME: 'shop',
    },
  })
  await once(child, 'message')
  return child
}

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly text: string
}

async function ask(port: number, path: string, headers = {}, method = 'GET'): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    try {
      const asking = request({ host: '127.0.0.1', port, path, method, headers }).end()
      const [response] = (await once(asking, 'response')) as [IncomingMessage]
      let text = ''
      for await (const part of response.setEncoding('utf8')) text += part
      return { status: response.statusCode, type: response.headers['content-type'], text }
    } catch (error) {
      // The telemetry thread may still be starting.
      if (attempt === 100) throw error
      await sleep(50)
    }
  }
}

describe('metrics for Prometheus', { timeout: 120_000 }, () => {
  let child: ChildProcess
  let port: number
  let folder: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'threadspan-test-prometheus-'))
    port = await freePort()
    child = await service(port)
  })
  after(async () => {
    child.send('end')
    await once(child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })

  it('have the names, types and labels of the specification', async () => {
    const { status, type, text } = await ask(port, '/metrics')
    assert.deepEqual([status, type], [200, 'text/plain; version=0.0.4; charset=utf-8'])
    const scope = 'otel_scope_name="the shop",otel_scope_version="1.0"'
    const lines = text.split('\n').filter((line) => line.includes(scope))
    assert.deepEqual(lines, [
      `orders_made_total{key_1st="1",_reserved="true",http_route="/a\\"b\\\\c\\nd",list="[\\"x\\",\\"y\\"]",${scope}} 3`,
      `queue_length{${scope}} 2`,
      `request_duration_seconds_bucket{${scope},le="0.1"} 0`,
      `request_duration_seconds_bucket{${scope},le="1"} 1`,
      `request_duration_seconds_bucket{${scope},le="+Inf"} 1`,
      `request_duration_seconds_sum{${scope}} 0.5`,
      `request_duration_seconds_count{${scope}} 1`,
      `fill_ratio{${scope}} 0.25`,
      `speed_bytes_per_second{${scope}} 1.7976931348623157e+308`,
      `fill_total{${scope}} 1`,
      `temperature_celsius{${scope}} 21.5`,
    ])
    assert.match(text, /^# HELP orders_made_total Orders with "quotes" \\\\ and\\nlines$/m)
    assert.match(text, /^target_info\{.*service_name="shop".*\} 1$/m)
  })

  it('are for those alone who may ask', async () => {
    const status = async (...args: [string, object?, string?]) => (await ask(port, ...args)).status
    assert.equal(await status('/metrics?x=1'), 200)
    assert.equal(await status('/'), 404)
    assert.equal(await status('/metrics', {}, 'POST'), 405)
    assert.equal(await status('/metrics', { host: 'evil.example' }), 403)
    assert.equal(await status('/metrics', { host: `localhost:${port}` }), 200)
    assert.equal(await status('/metrics', { host: `[::1]:${port}` }), 200)
  })

  it('tell of a port that is taken, and harm nothing', async () => {
    const second = await service(port)
    let stderr = ''
    second.stderr!.setEncoding('utf8').on('data', (text) => (stderr += text))
    for (let turn = 0; turn < 100 && stderr === ''; turn++) await sleep(50)
    second.send('end')
    const [code] = await once(second, 'exit')
    assert.equal(code, 0)
    assert.match(stderr, /: the port is in use \(THREADSPAN_PROMETHEUS\)/)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  })

  it("pass Prometheus' own check", { skip: noPrometheus }, async () => {
    const { text } = await ask(port, '/metrics')
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    })
    // 3: only what it calls lint; a parse error is 1.
    assert.ok(status === 0 || status === 3, `${status} ${stderr}${stdout}`)
    assert.doesNotMatch(stderr, /error while/)
  })

  it('are read by a Prometheus server', { skip: noPrometheus }, async () => {
    const listen = await freePort()
    const config = join(folder, 'prometheus.yml')
    writeFileSync(
      config,
      `scrape_configs: [{ job_name: shop, scrape_interval: 1s, static_configs: [{ targets: ['localhost:${port}'] }] }]`,
    )
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`]
    const server = spawn('prometheus', [...args, `--web.listen-address=127.0.0.1:${listen}`], {
      stdio: 'ignore',
    })
    try {
      const value = async (query: string): Promise<string | undefined> => {
        const { text } = await ask(listen, `/api/v1/query?query=${encodeURIComponent(query)}`)
        return JSON.parse(text).data?.result[0]?.value[1]
      }
      let orders: string | undefined
      for (let turn = 0; turn < 200 && orders === undefined; turn++) {
        orders = await value('orders_made_total').catch(() => undefined)
        await sleep(100)
      }
      assert.equal(orders, '3')
      assert.equal(await value('histogram_quantile(1, request_duration_seconds_bucket)'), '1')
      assert.equal(await value('temperature_celsius'), '21.5')
    } finally {
      server.kill()
      await once(server, 'exit')
    }
  })
})
