import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readConfig } from '#dist/config/config.js'
import { redactUrl, shownEndpoint } from '#dist/config/otlp.js'
import { readTracingConfig } from '#dist/config/tracing.js'

const TRACE_METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

const config = (env: Record<string, string>) => readConfig(env).config
const warned = (env: Record<string, string>): string[] =>
  readConfig(env).warnings.map(({ code, variable }) => `${code} ${variable}`)
const INVALID = 'THREADSPAN_ENV_INVALID'
const UNSUPPORTED = 'THREADSPAN_ENV_UNSUPPORTED'

describe('readConfig', () => {
  it('has the defaults of the specification, without a warning', () => {
    const { config, warnings } = readConfig({})
    assert.deepEqual(warnings, [])
    assert.deepEqual(config, {
      disabled: false,
      sampler: { kind: 'always_on', parentBased: true, ratio: 1 },
      limits: {
        attributeCount: 128,
        attributeValueLength: Number.POSITIVE_INFINITY,
        eventCount: 128,
        linkCount: 128,
        attributesPerEvent: 128,
        attributesPerLink: 128,
      },
      propagators: ['tracecontext', 'baggage'],
      ringSize: 1048576,
      exitTimeout: 2000,
      errors: 'context',
      sourceMaps: true,
      errorFields: [],
      ignoreUrls: [],
      serviceName: undefined,
      resourceAttributes: Object.create(null),
      exporters: ['otlp'],
      otlp: {
        protocol: 'http/protobuf',
        signal: 'traces',
        url: 'http://localhost:4318/v1/traces',
        socketPath: undefined,
        headers: Object.create(null),
        timeout: 10000,
        compression: 'none',
        certificate: undefined,
        clientKey: undefined,
        clientCertificate: undefined,
      },
      file: 'threadspan.jsonl',
      spool: undefined,
      batch: {
        scheduleDelay: 1000,
        exportTimeout: 30000,
        maxExportBatchSize: undefined,
        maxQueueSize: undefined,
      },
      exemplars: true,
      exponential: false,
      measures: false,
      transactionMetrics: [],
      surfaces: false,
      detectors: { names: [], installedOnly: false },
      surfacers: [],
      surfacerUrl: undefined,
      metrics: undefined,
      logs: undefined,
      logLevel: 'info',
      central: undefined,
    })
  })

  it('takes an empty or blank variable for an unset one', () => {
    const names = [
      'OTEL_SERVICE_NAME OTEL_RESOURCE_ATTRIBUTES OTEL_SDK_DISABLED OTEL_TRACES_SAMPLER OTEL_TRACES_SAMPLER_ARG',
      'OTEL_PROPAGATORS OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_TIMEOUT OTEL_EXPORTER_OTLP_COMPRESSION OTEL_LOG_LEVEL',
      'OTEL_EXPORTER_OTLP_PROTOCOL OTEL_SPAN_EVENT_COUNT_LIMIT OTEL_BSP_SCHEDULE_DELAY THREADSPAN_FILE',
    ]
      .join(' ')
      .split(' ')
    for (const blank of ['', '  ']) {
      const env = Object.fromEntries(names.map((name) => [name, blank]))
      assert.deepEqual(readConfig(env), readConfig({}))
    }
  })

  it('is true by "true" alone', () => {
    for (const value of ['true', 'True', 'TRUE', ' true ']) {
      assert.equal(config({ OTEL_SDK_DISABLED: value }).disabled, true)
    }
    for (const value of ['1', 'yes', 'on', 'truthy']) {
      assert.equal(config({ OTEL_SDK_DISABLED: value }).disabled, false)
      assert.deepEqual(warned({ OTEL_SDK_DISABLED: value }), [`${INVALID} OTEL_SDK_DISABLED`])
    }
    assert.deepEqual(warned({ OTEL_SDK_DISABLED: 'FALSE' }), [])
  })

  it('reads the samplers', () => {
    const sampler = (name: string, arg = '') =>
      config({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: arg }).sampler
    assert.deepEqual(sampler('always_on'), { kind: 'always_on', parentBased: false, ratio: 1 })
    assert.deepEqual(sampler('PARENTBASED_ALWAYS_OFF'), { kind: 'always_off', parentBased: true, ratio: 0 })
    assert.deepEqual(sampler('traceidratio'), { kind: 'traceidratio', parentBased: false, ratio: 1 })
    for (const [arg, ratio] of Object.entries({ '0.25': 0.25, '0': 0, '1': 1, '.5': 0.5, '1e-3': 0.001 })) {
      assert.deepEqual(sampler('parentbased_traceidratio', arg), {
        kind: 'traceidratio',
        parentBased: true,
        ratio,
      })
    }
  })

  it('ignores a ratio that is none, and one that nothing asks for', () => {
    for (const arg of ['1.1', '-0.1', 'half', 'NaN', '0x1', 'Infinity']) {
      const env = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: arg }
      assert.equal(config(env).sampler.ratio, 1)
      assert.deepEqual(warned(env), [`${INVALID} OTEL_TRACES_SAMPLER_ARG`])
    }
    assert.deepEqual(warned({ OTEL_TRACES_SAMPLER_ARG: 'half' }), [])
  })

  it('says what is used where the variable of one signal is none: that of all, where it is set', () => {
    const own = { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'htp', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1s' }
    const all = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TIMEOUT: '7' }
    const used = (env: Record<string, string>) =>
      readConfig(env).warnings.map(({ message }) => message.split('; ')[1])
    assert.deepEqual(used(own), ['http/protobuf is used', '10000 is used'])
    assert.deepEqual(used({ ...own, ...all }), [
      'OTEL_EXPORTER_OTLP_PROTOCOL is used',
      'OTEL_EXPORTER_OTLP_TIMEOUT is used',
    ])
  })

  it('tells what is known and not offered from what is unknown', () => {
    assert.deepEqual(warned({ OTEL_TRACES_SAMPLER: 'jaeger_remote' }), [`${UNSUPPORTED} OTEL_TRACES_SAMPLER`])
    assert.deepEqual(warned({ OTEL_TRACES_SAMPLER: 'sometimes' }), [`${INVALID} OTEL_TRACES_SAMPLER`])
    assert.deepEqual(warned({ OTEL_TRACES_EXPORTER: 'zipkin' }), [`${UNSUPPORTED} OTEL_TRACES_EXPORTER`])
    assert.deepEqual(config({ OTEL_TRACES_EXPORTER: 'zipkin' }).exporters, ['otlp'])
    assert.deepEqual(warned({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/xml' }), [
      `${INVALID} OTEL_EXPORTER_OTLP_PROTOCOL`,
    ])
  })

  it('reads lists once each, and "none" as the empty one', () => {
    assert.deepEqual(config({ OTEL_PROPAGATORS: 'b3, tracecontext,b3,,Baggage' }).propagators, [
      'b3',
      'tracecontext',
      'baggage',
    ])
    assert.deepEqual(config({ OTEL_PROPAGATORS: 'none' }).propagators, [])
    assert.deepEqual(config({ OTEL_TRACES_EXPORTER: 'none' }).exporters, [])
    assert.deepEqual(config({ OTEL_TRACES_EXPORTER: 'file,waterfall' }).exporters, ['file', 'waterfall'])
    assert.deepEqual(config({ OTEL_PROPAGATORS: 'none,b3' }).propagators, ['b3'])
    assert.deepEqual(warned({ OTEL_PROPAGATORS: 'none,b3' }), [`${INVALID} OTEL_PROPAGATORS`])
    assert.deepEqual(warned({ OTEL_PROPAGATORS: 'foo,bar,b3' }), [`${INVALID} OTEL_PROPAGATORS`])
  })

  it('reads limits, the general ones where there is no special one', () => {
    const { limits } = config({
      OTEL_ATTRIBUTE_COUNT_LIMIT: '10',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '100',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '20',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '0',
      OTEL_SPAN_LINK_COUNT_LIMIT: '7',
      OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '3',
    })
    assert.deepEqual(limits, {
      attributeCount: 20,
      attributeValueLength: 100,
      eventCount: 0,
      linkCount: 7,
      attributesPerEvent: 10,
      attributesPerLink: 3,
    })
  })

  it('ignores numbers that are none', () => {
    for (const value of ['-1', '1.5', 'many', '1e3', '0x10', '2147483648', '99999999999999999999']) {
      assert.equal(config({ OTEL_SPAN_EVENT_COUNT_LIMIT: value }).limits.eventCount, 128)
      assert.deepEqual(warned({ OTEL_SPAN_EVENT_COUNT_LIMIT: value }), [
        `${INVALID} OTEL_SPAN_EVENT_COUNT_LIMIT`,
      ])
    }
    assert.equal(config({ OTEL_SPAN_EVENT_COUNT_LIMIT: '2147483647' }).limits.eventCount, 2147483647)
    assert.deepEqual(warned({ THREADSPAN_RING_SIZE: '100' }), [`${INVALID} THREADSPAN_RING_SIZE`])
  })

  it('reads patterns of requests that are left out, as many as it takes', () => {
    assert.deepEqual(config({ THREADSPAN_IGNORE_URLS: ' /health*, ,*.png,' }).ignoreUrls, [
      '/health*',
      '*.png',
    ])
    assert.deepEqual(warned({ THREADSPAN_IGNORE_URLS: '/health*' }), [])
    const many = { THREADSPAN_IGNORE_URLS: Array.from({ length: 101 }, (_, i) => `/${i}`).join() }
    assert.equal(config(many).ignoreUrls.length, 100)
    assert.deepEqual(warned(many), [`${INVALID} THREADSPAN_IGNORE_URLS`])
    const long = { THREADSPAN_IGNORE_URLS: `/${'x'.repeat(512)},/short` }
    assert.deepEqual(config(long).ignoreUrls, ['/short'])
    assert.deepEqual(warned(long), [`${INVALID} THREADSPAN_IGNORE_URLS`])
  })

  it('reads the batch, and keeps it within the queue', () => {
    const env = { OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '200' }
    assert.equal(config(env).batch.maxExportBatchSize, 100)
    assert.deepEqual(warned(env), [`${INVALID} OTEL_BSP_MAX_EXPORT_BATCH_SIZE`])
    assert.deepEqual(warned({ OTEL_BSP_MAX_QUEUE_SIZE: '0' }), [`${INVALID} OTEL_BSP_MAX_QUEUE_SIZE`])
  })

  it('takes a timeout of zero for none', () => {
    assert.equal(config({ OTEL_BSP_EXPORT_TIMEOUT: '0' }).batch.exportTimeout, 2147483647)
    assert.equal(config({ OTEL_EXPORTER_OTLP_TIMEOUT: '0' }).otlp.timeout, 2147483647)
  })

  it('completes the common endpoint and leaves that of the signal alone', () => {
    const url = (endpoint: string) => config({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).otlp.url
    assert.equal(url('http://collector:4318'), 'http://collector:4318/v1/traces')
    assert.equal(url('http://collector:4318//'), 'http://collector:4318/v1/traces')
    assert.equal(url('https://example.com/otlp/'), 'https://example.com/otlp/v1/traces')
    const own = (endpoint: string) =>
      config({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://other' })
        .otlp.url
    assert.equal(own('http://collector:4318'), 'http://collector:4318/')
    assert.equal(own('http://collector/my/path/'), 'http://collector/my/path/')
    assert.equal(own('nonsense'), 'http://other/v1/traces')
  })

  it('warns of an endpoint that is no URL without showing it', () => {
    for (const endpoint of ['localhost:4318', 'user:hunter2@host', 'ftp://user:hunter2@host', 'http://']) {
      const { config, warnings } = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
      assert.equal(config.otlp.url, 'http://localhost:4318/v1/traces')
      assert.equal(warnings.length, 1)
      assert.equal(warnings[0]!.code, INVALID)
      assert.doesNotMatch(warnings[0]!.message, /hunter2/)
    }
  })

  it('takes the protocol of the signal, which says what an endpoint is', () => {
    const { otlp, metrics } = config({
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318/v1/metrics',
    })
    assert.deepEqual([otlp.protocol, otlp.url], ['grpc', `http://localhost:4317${TRACE_METHOD}`])
    assert.deepEqual(
      [metrics?.otlp?.protocol, metrics?.otlp?.url],
      ['http/json', 'http://collector:4318/v1/metrics'],
    )
    const both = config({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })
    assert.equal(
      both.metrics?.otlp?.url,
      'http://localhost:4317/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    )
  })

  it('takes an endpoint of gRPC as a URL or as gRPC names it', () => {
    const read = (endpoint: string, more: Record<string, string> = {}) => {
      const { otlp } = config({
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        ...more,
      })
      assert.ok(otlp.url.endsWith(TRACE_METHOD))
      return [otlp.url.slice(0, -TRACE_METHOD.length), otlp.socketPath]
    }
    const insecure = { OTEL_EXPORTER_OTLP_INSECURE: 'true' }
    assert.deepEqual(read('http://collector:4317'), ['http://collector:4317', undefined])
    assert.deepEqual(read('https://example.com', insecure), ['https://example.com', undefined])
    assert.deepEqual(read('collector:4317'), ['https://collector:4317', undefined])
    assert.deepEqual(read('collector', insecure), ['http://collector:4317', undefined])
    assert.deepEqual(read('dns:///collector:55', insecure), ['http://collector:55', undefined])
    assert.deepEqual(read('[::1]:55', insecure), ['http://[::1]:55', undefined])
    assert.deepEqual(read('unix:///run/otel.sock'), ['http://localhost', '/run/otel.sock'])
    assert.deepEqual(read('unix:otel.sock'), ['http://localhost', 'otel.sock'])
    assert.deepEqual(read('unix-abstract:otel'), ['http://localhost', '\0otel'])
    const own = { OTEL_EXPORTER_OTLP_TRACES_INSECURE: 'true', OTEL_EXPORTER_OTLP_INSECURE: 'false' }
    assert.deepEqual(read('collector:4317', own), ['http://collector:4317', undefined])
    for (const bad of ['ftp://a', 'a b', 'unix:', 'xds:///a', 'host:port'])
      assert.deepEqual(
        warned({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: bad }),
        [`${INVALID} OTEL_EXPORTER_OTLP_ENDPOINT`],
        bad,
      )
    const path = 'http://collector:4317/v1/traces'
    assert.deepEqual(read(path), ['http://collector:4317', undefined])
    assert.deepEqual(warned({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: path }), [
      `${INVALID} OTEL_EXPORTER_OTLP_ENDPOINT`,
    ])
  })

  it('takes a Unix socket for HTTP, at the path that servers have', () => {
    const { otlp } = config({ OTEL_EXPORTER_OTLP_ENDPOINT: 'unix:///run/otel.sock' })
    assert.deepEqual([otlp.url, otlp.socketPath], ['http://localhost/v1/traces', '/run/otel.sock'])
    const own = config({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'unix:otel.sock' }).otlp
    assert.deepEqual([own.url, own.socketPath], ['http://localhost/v1/traces', 'otel.sock'])
  })

  it('prefers the variables of the signal, and falls back from those that are invalid', () => {
    const { otlp } = config({
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: 'soon',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'GZIP',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: '/key.pem',
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: '/own-key.pem',
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/cert.pem',
    })
    assert.equal(otlp.timeout, 1000)
    assert.equal(otlp.compression, 'gzip')
    assert.equal(otlp.certificate, '/ca.pem')
    assert.equal(otlp.clientKey, '/own-key.pem')
    assert.equal(otlp.clientCertificate, '/cert.pem')
  })

  it('reads headers, decoded and merged, and shows none of their values', () => {
    const { config, warnings } = readConfig({
      OTEL_EXPORTER_OTLP_HEADERS:
        'Authorization=Bearer%20a%3D%3D , x-tenant = one,broken,bad name=s3cret,x=%0D%0As3cret,y=%ZZ',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'X-Tenant=two,token=a=b=',
    })
    assert.deepEqual(
      { ...config.otlp.headers },
      { authorization: 'Bearer a==', 'x-tenant': 'two', token: 'a=b=' },
    )
    assert.equal(warnings.length, 1)
    assert.equal(warnings[0]!.message, 'OTEL_EXPORTER_OTLP_HEADERS: 4 members are no "name=value"; left out')
  })

  it('reads how metrics are exported, where they are', () => {
    const { metrics, otlp } = config({
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_METRIC_EXPORT_INTERVAL: '1500',
      OTEL_METRIC_EXPORT_TIMEOUT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=one,x-all=yes',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-tenant=two',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-tenant=three',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '700',
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip',
    })
    assert.deepEqual([metrics?.interval, metrics?.timeout], [1500, 2147483647])
    assert.deepEqual(
      [metrics?.otlp?.url, otlp.url],
      ['http://collector:4318/v1/metrics', 'http://collector:4318/v1/traces'],
    )
    assert.deepEqual({ ...metrics?.otlp?.headers }, { 'x-tenant': 'two', 'x-all': 'yes' })
    assert.deepEqual([metrics?.otlp?.timeout, otlp.timeout], [700, 10000])
    assert.deepEqual([metrics?.otlp?.compression, otlp.compression], ['none', 'gzip'])
    const own = 'https://metrics.example/in'
    const apart = config({ OTEL_METRICS_EXPORTER: 'OTLP', OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: own })
    assert.deepEqual(
      [apart.metrics?.otlp?.url, apart.metrics?.interval, apart.metrics?.timeout],
      [own, 60000, 30000],
    )
    assert.equal(apart.otlp.url, 'http://localhost:4318/v1/traces')
  })

  it('exports no metrics unless it is told to, and then says nothing of their variables', () => {
    const unused = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'nonsense', OTEL_METRIC_EXPORT_INTERVAL: 'often' }
    for (const value of ['', 'none', 'None']) {
      const env = { ...unused, OTEL_METRICS_EXPORTER: value }
      assert.equal(config(env).metrics, undefined)
      assert.deepEqual(warned(env), [])
    }
    const other = { ...unused, OTEL_METRICS_EXPORTER: 'console' }
    assert.equal(config(other).metrics, undefined)
    assert.deepEqual(warned(other), [`${UNSUPPORTED} OTEL_METRICS_EXPORTER`])
    assert.deepEqual(warned({ ...unused, OTEL_METRICS_EXPORTER: 'otlp' }), [
      `${INVALID} OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`,
      `${INVALID} OTEL_METRIC_EXPORT_INTERVAL`,
    ])
  })

  it('warns once of a variable that holds for both signals', () => {
    const env = {
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_HEADERS: 'x',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'thrift',
    }
    assert.deepEqual(warned(env).sort(), [
      `${INVALID} OTEL_EXPORTER_OTLP_HEADERS`,
      `${INVALID} OTEL_EXPORTER_OTLP_PROTOCOL`,
    ])
    const delta = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'
    const unknown = { OTEL_METRICS_EXPORTER: 'otlp', [delta]: 'sometimes' }
    assert.equal(config(unknown).metrics?.temporality, 'cumulative')
    assert.deepEqual(warned(unknown), [`${INVALID} ${delta}`])
    const histogram = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'
    const exponential = { [histogram]: 'base2_exponential_bucket_histogram' }
    assert.deepEqual(warned({ OTEL_METRICS_EXPORTER: 'otlp', ...exponential }), [])
    assert.equal(config({ OTEL_METRICS_EXPORTER: 'otlp', ...exponential }).exponential, true)
    assert.deepEqual(warned({ OTEL_METRICS_EXPORTER: 'otlp,prometheus', ...exponential }), [
      `${UNSUPPORTED} ${histogram}`,
    ])
    assert.equal(config({ OTEL_METRICS_EXPORTER: 'otlp,prometheus', ...exponential }).exponential, false)
  })

  it('reads where Prometheus is to find metrics, beside OTLP or alone', () => {
    const alone = config({ OTEL_METRICS_EXPORTER: 'prometheus' }).metrics
    assert.deepEqual([alone?.otlp, alone?.prometheus], [undefined, { host: 'localhost', port: 9464 }])
    const both = config({
      OTEL_METRICS_EXPORTER: 'otlp,prometheus',
      OTEL_EXPORTER_PROMETHEUS_HOST: '0.0.0.0',
      OTEL_EXPORTER_PROMETHEUS_PORT: '9999',
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'LowMemory',
    }).metrics
    assert.deepEqual(both?.prometheus, { host: '0.0.0.0', port: 9999 })
    assert.deepEqual([both?.otlp?.url, both?.temporality], ['http://localhost:4318/v1/metrics', 'lowmemory'])
    assert.deepEqual(
      warned({ OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: '70000' }),
      [`${INVALID} OTEL_EXPORTER_PROMETHEUS_PORT`],
    )
  })

  it('takes names and paths for surfacers, and nothing else', () => {
    const names = (THREADSPAN_SURFACERS: string) => config({ THREADSPAN_SURFACERS }).surfacers
    assert.deepEqual(names('log, http ,./a.js,../b.mjs,/c.cjs,file:///d.js,log'), [
      'log',
      'http',
      './a.js',
      '../b.mjs',
      '/c.cjs',
      'file:///d.js',
    ])
    for (const wrong of ['lgo', 'a.js', 'https://x/a.js', 'data:text/javascript,', 'node:fs']) {
      assert.deepEqual(names(wrong), [])
      assert.deepEqual(warned({ THREADSPAN_SURFACERS: wrong }), [`${INVALID} THREADSPAN_SURFACERS`])
    }
    const url = 'http://localhost:8080/metrics'
    assert.equal(config({ THREADSPAN_SURFACER_URL: url }).surfacerUrl, url)
    assert.deepEqual(warned({ THREADSPAN_SURFACER_URL: 'ftp://x' }), [`${INVALID} THREADSPAN_SURFACER_URL`])
  })

  it('reads resource attributes, or none of them when one is broken', () => {
    const attributes = (list: string) => ({
      ...config({ OTEL_RESOURCE_ATTRIBUTES: list }).resourceAttributes,
    })
    assert.deepEqual(attributes('a=1, b = two%2Cthree ,%63=%E2%82%AC,__proto__=x'), {
      a: '1',
      b: 'two,three',
      c: '€',
      ['__proto__']: 'x',
    })
    for (const list of ['a=1,b', 'a=1,=b', 'a=1,b=%E2%28%A1']) {
      assert.deepEqual(attributes(list), {})
      assert.deepEqual(warned({ OTEL_RESOURCE_ATTRIBUTES: list }), [`${INVALID} OTEL_RESOURCE_ATTRIBUTES`])
    }
  })

  it('reads the log level in any case', () => {
    assert.equal(config({ OTEL_LOG_LEVEL: 'WARN' }).logLevel, 'warn')
    assert.equal(config({ OTEL_LOG_LEVEL: 'VERBOSE' }).logLevel, 'debug')
    assert.equal(config({ OTEL_LOG_LEVEL: 'loud' }).logLevel, 'info')
  })

  it('gives threads the same as the whole', () => {
    const env = { OTEL_TRACES_SAMPLER: 'always_off', OTEL_PROPAGATORS: 'b3', THREADSPAN_EXIT_TIMEOUT: '5' }
    const { config: part, warnings } = readTracingConfig(env)
    assert.deepEqual(warnings, [])
    const whole = config(env)
    for (const [key, value] of Object.entries(part)) assert.deepEqual(whole[key as keyof typeof whole], value)
  })
})

describe('shownEndpoint', () => {
  it('shows no secret, and what is spoken there', () => {
    const shown = (env: Record<string, string>) => shownEndpoint(config(env).otlp)
    const url = 'https://user:pass@host:1/v1/traces?key=abc'
    assert.equal(shown({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url }), 'https://***@host:1/v1/traces')
    const grpc = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }
    assert.equal(shown(grpc), 'http://localhost:4317 (gRPC)')
    assert.equal(
      shown({ ...grpc, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://u:p@host' }),
      'https://***@host (gRPC)',
    )
    assert.equal(shown({ ...grpc, OTEL_EXPORTER_OTLP_ENDPOINT: 'unix-abstract:a' }), 'unix:@a')
    assert.equal(shown({ OTEL_EXPORTER_OTLP_ENDPOINT: 'unix:///a' }), 'unix:/a')
  })
})

describe('redactUrl', () => {
  it('hides credentials, query and fragment', () => {
    assert.equal(redactUrl('https://user:pass@host:1/v1/traces?key=abc#x'), 'https://***@host:1/v1/traces')
    assert.equal(redactUrl('http://host/v1/traces'), 'http://host/v1/traces')
    assert.equal(redactUrl('pass'), '(not a URL)')
  })
})
