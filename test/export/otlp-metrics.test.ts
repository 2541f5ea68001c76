import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { exporterType } from '#dist/export/create.js'
import { OtlpMetricsExporter } from '#dist/export/otlp-metrics.js'
import { PeriodicMetrics } from '#dist/export/periodic-metrics.js'
import type { ExporterName } from '../../src/config/config.js'
import { freePort, journal, otlpConfig, soon } from './support.js'

const REQUEST = Buffer.from('a request that nobody reads here')

/** Answers each request with the next status, the last one again; 0 is no answer at all. */
async function server(t: TestContext, statuses: number[], more: { body?: string; type?: string } = {}) {
  const bodies: Buffer[] = []
  let arrived = () => {}
  const listening = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
      const status = statuses[Math.min(bodies.length, statuses.length) - 1]!
      if (status !== 0) response.writeHead(status, { 'content-type': more.type ?? '' }).end(more.body)
      arrived()
    })
  })
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    listening.closeAllConnections()
    listening.close()
  })
  const address = listening.address() as { port: number }
  /** Until so many have come. */
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      arrived = () => bodies.length >= count && resolve()
      arrived()
    })
  return { url: `http://127.0.0.1:${address.port}/v1/metrics`, bodies, until }
}

describe('OtlpMetricsExporter', () => {
  it('sends a request, compressed where that is asked for', async (t) => {
    const { url, bodies } = await server(t, [200])
    const { log, lines } = journal()
    for (const compression of ['none', 'gzip'] as const)
      await new OtlpMetricsExporter(otlpConfig(url, { compression }), log).export(REQUEST, soon())
    assert.deepEqual(bodies.map(String), [String(REQUEST), String(REQUEST)])
    assert.deepEqual(lines, [])
  })

  it('sends JSON where that is asked for', async (t) => {
    const { url, bodies } = await server(t, [200])
    const { log, lines } = journal()
    const config = otlpConfig(url, { protocol: 'http/json', signal: 'metrics' })
    // A resource without attributes.
    await new OtlpMetricsExporter(config, log).export(Buffer.from('0a020a00', 'hex'), soon())
    assert.deepEqual(bodies.map(String), ['{"resourceMetrics":[{"resource":{}}]}'])
    assert.deepEqual(lines, [])
  })

  it('repeats what may be repeated, and then has nothing to tell', async (t) => {
    const { url, bodies } = await server(t, [503, 429, 200])
    const { log, lines } = journal()
    await new OtlpMetricsExporter(otlpConfig(url), log).export(REQUEST, soon())
    assert.equal(bodies.length, 3)
    assert.deepEqual(lines, [])
  })

  it('tells of a refusal once, and from then on for those alone who look for it', async (t) => {
    const { url, bodies } = await server(t, [404], { body: 'no metrics here', type: 'text/plain' })
    const { log, lines } = journal()
    const exporter = new OtlpMetricsExporter(otlpConfig(url), log)
    for (let i = 0; i < 2; i++) await exporter.export(REQUEST, soon())
    assert.equal(bodies.length, 2)
    const text = `THREADSPAN_METRICS metrics do not arrive at ${url}: it answers with status 404: no metrics here`
    assert.deepEqual(lines, [`warn ${text}`, `debug ${text}`])
  })

  it('tells of a part that was refused', async (t) => {
    const body = '{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"delta only"}}'
    const { url } = await server(t, [200], { body, type: 'application/json' })
    const { log, lines } = journal()
    await new OtlpMetricsExporter(otlpConfig(url), log).export(REQUEST, soon())
    assert.match(lines.join(), /^warn THREADSPAN_METRICS .*: it refused 3 of them: delta only$/)
  })

  it('gives up at the deadline, where nobody is there and where nobody answers', async (t) => {
    const silent = await server(t, [0])
    for (const [url, why] of [
      [`http://127.0.0.1:${await freePort()}/v1/metrics`, /nothing listens there/],
      [silent.url, /does not answer in time/],
    ] as const) {
      const { log, lines } = journal()
      await new OtlpMetricsExporter(otlpConfig(url), log).export(REQUEST, soon(500))
      assert.equal(lines.length, 1)
      assert.match(lines[0]!, why)
    }
  })
})

describe('PeriodicMetrics', () => {
  it('exports at its interval, the figures as they are then', async (t) => {
    const { url, bodies, until } = await server(t, [200])
    const { log, lines } = journal()
    let figure = 0
    const exporter = new OtlpMetricsExporter(otlpConfig(url), log)
    const metrics = new PeriodicMetrics(exporter, {
      interval: 5,
      timeout: 1000,
      collect: () => ({ body: Buffer.from(String(++figure)) }),
    })
    // The timer keeps nothing running, as the collector does.
    const alive = setInterval(() => {}, 1000)
    await until(3)
    clearInterval(alive)
    await metrics.close(soon())
    const told = bodies.map(Number)
    assert.deepEqual(told.slice(0, 3), [1, 2, 3])
    assert.equal(told.at(-1), figure)
    assert.deepEqual(lines, [])
  })

  it('sends the last figures in the place of those that are under way', async (t) => {
    const { url, bodies, until } = await server(t, [0, 200])
    const { log, lines } = journal()
    const exporter = new OtlpMetricsExporter(otlpConfig(url), log)
    let figure = 0
    const metrics = new PeriodicMetrics(exporter, {
      interval: 5,
      timeout: 60_000,
      collect: () => ({ body: Buffer.from(String(++figure)) }),
    })
    const alive = setInterval(() => {}, 1000)
    await until(1)
    clearInterval(alive)
    await metrics.close(soon())
    assert.deepEqual(bodies.map(String), ['1', '2'])
    assert.deepEqual(lines, [])
  })
})

describe('differences', () => {
  it('wait at the end for the answer that says what is left to tell', async (t) => {
    const { url, bodies, until } = await server(t, [200])
    const { log } = journal()
    let base = 0
    let figure = 5
    const metrics = new PeriodicMetrics(new OtlpMetricsExporter(otlpConfig(url), log), {
      interval: 5,
      timeout: 1000,
      isDelta: true,
      collect() {
        const now = figure
        const body = Buffer.from(String(now - base))
        return {
          body,
          arrived() {
            base = now
          },
        }
      },
    })
    const alive = setInterval(() => {}, 1000)
    await until(1)
    clearInterval(alive)
    figure = 7
    await metrics.close(soon())
    assert.equal(
      bodies.map(Number).reduce((sum, one) => sum + one, 0),
      7,
    )
  })
})

describe('what was taken', () => {
  it('is told, and what was not comes again', async (t) => {
    const { url, bodies, until } = await server(t, [404, 404, 200])
    const { log } = journal()
    let figure = 0
    let base = 0
    const metrics = new PeriodicMetrics(new OtlpMetricsExporter(otlpConfig(url), log), {
      interval: 5,
      timeout: 1000,
      collect() {
        const now = ++figure
        return {
          body: Buffer.from(String(now - base)),
          arrived() {
            base = now
          },
        }
      },
    })
    const alive = setInterval(() => {}, 1000)
    await until(4)
    clearInterval(alive)
    await metrics.close(soon())
    assert.deepEqual(bodies.map(Number).slice(0, 4), [1, 2, 3, 1])
  })
})

describe('exporterType', () => {
  it('is the value of the semantic conventions for OTLP, and tells the others apart', () => {
    const otlp = otlpConfig('http://localhost:4318/v1/traces')
    const type = (exporters: ExporterName[], protocol = otlp.protocol) =>
      exporterType({ exporters, otlp: { ...otlp, protocol } }, 'spans')
    assert.equal(type(['otlp']), 'otlp_http_span_exporter')
    assert.equal(type(['otlp'], 'http/json'), 'otlp_http_json_span_exporter')
    assert.equal(type(['otlp'], 'grpc'), 'otlp_grpc_span_exporter')
    assert.equal(type(['file']), 'threadspan_file_span_exporter')
    assert.equal(type(['otlp', 'file']), 'threadspan_otlp_file_span_exporter')
    assert.equal(type([]), 'threadspan_none_span_exporter')
    assert.equal(exporterType({ exporters: ['otlp'], otlp }, 'logs'), 'otlp_http_log_exporter')
  })
})
