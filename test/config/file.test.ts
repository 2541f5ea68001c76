import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { readConfig } from '#dist/config/config.js'

import { IGNORED } from '#dist/config/file/ignored.js'
import { resolveScalar, substitute } from '#dist/config/file/substitute.js'
import { fixture } from '../support/program.js'

const { resolveEnvironment } = createRequire(import.meta.url)(
  resolve(process.env['THREADSPAN_DIST'] ?? 'dist', 'config-file.cjs'),
) as typeof import('../../src/runtime/config-file-part.cjs')

type Env = Record<string, string>

/** What an environment with a file comes to: without variables that are empty, and paths without the file's. */
function resolved(file: string, env: Env = {}) {
  const { overlay, notices } = resolveEnvironment({ ...env, OTEL_CONFIG_FILE: file })!
  return {
    overlay,
    set: Object.fromEntries(Object.entries(overlay).filter(([, value]) => value !== '')),
    told: notices.map(({ message }) => message.replace(`${file}: `, '')),
    notices,
  }
}

describe('references to variables in a configuration file', () => {
  const env = {
    STRING_VALUE: 'value',
    BOOL_VALUE: 'true',
    INT_VALUE: '1',
    FLOAT_VALUE: '1.1',
    HEX_VALUE: '0xdeadbeef',
    INVALID_MAP_VALUE: 'value\nkey:value',
    DO_NOT_REPLACE_ME: 'Never use this value',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is none
    REPLACE_ME: '${DO_NOT_REPLACE_ME}',
    VALUE_WITH_ESCAPE: 'value$$',
    EMPTY: '',
  }
  /* biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are none */
  const table: [input: string, value: unknown][] = [
    ['${STRING_VALUE}', 'value'],
    ['${BOOL_VALUE}', true],
    ['${INT_VALUE}', 1],
    ['${FLOAT_VALUE}', 1.1],
    ['${HEX_VALUE}', 3735928559],
    ['"${STRING_VALUE}"', 'value'],
    ['"${BOOL_VALUE}"', 'true'],
    ['"${INT_VALUE}"', '1'],
    ['"${FLOAT_VALUE}"', '1.1'],
    ['"${HEX_VALUE}"', '0xdeadbeef'],
    ['${env:STRING_VALUE}', 'value'],
    ['${INVALID_MAP_VALUE}', 'value\nkey:value'],
    ['foo ${STRING_VALUE} ${FLOAT_VALUE}', 'foo value 1.1'],
    ['${UNDEFINED_KEY}', null],
    ['${EMPTY}', null],
    ['${UNDEFINED_KEY:-fallback}', 'fallback'],
    ['${EMPTY:-fallback}', 'fallback'],
    ['${REPLACE_ME}', '${DO_NOT_REPLACE_ME}'],
    ['${UNDEFINED_KEY:-${STRING_VALUE}}', '${STRING_VALUE}'],
    ['$${STRING_VALUE}', '${STRING_VALUE}'],
    ['$$${STRING_VALUE}', '$value'],
    ['$$$${STRING_VALUE}', '$${STRING_VALUE}'],
    ['$${STRING_VALUE:-fallback}', '${STRING_VALUE:-fallback}'],
    ['$${STRING_VALUE:-${STRING_VALUE}}', '${STRING_VALUE:-value}'],
    ['${UNDEFINED_KEY:-$${UNDEFINED_KEY}}', '${UNDEFINED_KEY:-${UNDEFINED_KEY}}'],
    ['${VALUE_WITH_ESCAPE}', 'value$$'],
    ['a $$ b', 'a $ b'],
    ['a $ b', 'a $ b'],
  ]
  const wrong = ['${STRING_VALUE:?error}', '${1API_KEY}', '${API_$KEY}', '${sys:x}', '${env:1}']
  /* biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are none */
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'threadspan-file-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const file = (scalar: string): string => {
    const path = join(folder, 'otel.yaml')
    writeFileSync(
      path,
      `file_format: "1.0"\nresource:\n  attributes:\n    - name: a\n      value: ${scalar}\n`,
    )
    return path
  }

  it('are those of the specification’s table', () => {
    for (const [input, value] of table) {
      const isPlain = !input.startsWith('"')
      const text = substitute(isPlain ? input : input.slice(1, -1), env, '')
      assert.deepEqual(isPlain ? resolveScalar(text) : text, value, input)
      // The same by the parser of the file.
      const { set, told } = resolved(file(input), env)
      if (value === null) assert.match(told.join(), /it has no name, or no value/)
      else assert.equal(decodeURIComponent(set['OTEL_RESOURCE_ATTRIBUTES']!.slice(2)), String(value), input)
    }
  })

  it('that are none leave nothing of the file', () => {
    for (const input of wrong) {
      const { set, told } = resolved(file(input), env)
      assert.deepEqual(set, { OTEL_SDK_DISABLED: 'true' }, input)
      assert.match(told.join(), /a reference to a variable that is none/)
    }
  })

  it('in keys are none', () => {
    const path = join(folder, 'keys.yaml')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is none
    writeFileSync(path, 'file_format: "1.0"\n"${STRING_VALUE}": 1\n')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is none
    assert.deepEqual(resolved(path, env).told, ['${STRING_VALUE}: it is not known, and ignored'])
  })

  it('cannot bring structure along', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is none
        const text = substitute('x${V}y', { V: value }, '')
        assert.equal(text, `x${value}y`)
      }),
    )
  })
})

describe('a configuration file', () => {
  const protocols = Object.fromEntries(
    ['TRACES', 'METRICS', 'LOGS'].map((signal) => [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, 'http/protobuf']),
  )
  const example = (name: string) => fixture(`config-file/otel-${name}.yaml`)

  it('of the published examples comes to what it says', () => {
    const start = resolved(example('getting-started'), {
      OTEL_RESOURCE_ATTRIBUTES: 'team=a',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    })
    assert.deepEqual(start.set, {
      OTEL_RESOURCE_ATTRIBUTES: 'team=a',
      OTEL_PROPAGATORS: 'tracecontext,baggage',
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318/v1/metrics',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://collector:4318/v1/logs',
      ...protocols,
    })
    assert.deepEqual(
      start.told.map((line) => line.split(':')[0]),
      ['resource.detection/development'],
    )
    const sdk = resolved(example('sdk-config'))
    const { config, warnings } = readConfig(sdk.overlay)
    assert.deepEqual(warnings, [])
    assert.deepEqual(
      [config.otlp.url, config.otlp.compression, config.batch.scheduleDelay, config.limits.eventCount],
      ['http://localhost:4318/v1/traces', 'gzip', 5000, 128],
    )
    assert.equal(config.metrics?.otlp?.url, 'http://localhost:4318/v1/metrics')
    assert.equal(sdk.told.length, 3)
    // Without variables the example for who comes from them is the other one.
    const { OTEL_SDK_DISABLED, ...migrated } = resolved(example('sdk-migration-config')).set
    const { OTEL_SDK_DISABLED: _, ...same } = sdk.set
    assert.deepEqual([migrated, OTEL_SDK_DISABLED], [same, 'false'])
  })

  it('for who comes from variables takes them', () => {
    const env = {
      OTEL_SDK_DISABLED: 'true',
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'team=a',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '12',
      OTEL_PROPAGATORS: 'b3',
      OTEL_BSP_MAX_QUEUE_SIZE: '100',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=b',
      OTEL_METRIC_EXPORT_INTERVAL: '5',
      OTEL_METRICS_EXEMPLAR_FILTER: 'always_off',
    }
    const { set } = resolved(example('sdk-migration-config'), env)
    const { OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, ...same } = env
    assert.deepEqual({ ...set, ...same }, set)
    assert.equal(
      set['OTEL_RESOURCE_ATTRIBUTES'],
      `${OTEL_RESOURCE_ATTRIBUTES},service.name=${OTEL_SERVICE_NAME}`,
    )
  })

  it('with all that is offered, and more, comes to that, and a line for each that is not', () => {
    const { overlay, set, told } = resolved(fixture('config-file/everything.yaml'))
    assert.deepEqual(told.map((line) => line.split(': ')[0]).sort(), [
      'distribution',
      'logger_provider.processors[1].simple.exporter.other',
      'meter_provider.readers[1].pull.exporter.prometheus/development.scope_info_enabled',
      'meter_provider.readers[2].periodic',
      'meter_provider.views',
      'propagator.composite',
      'resource.attributes[1].type',
      'resource.schema_url',
      'something_else',
      'tracer_provider.id_generator',
      'tracer_provider.processors[0].batch.exporter.otlp_http.max_request_size',
      'tracer_provider.processors[2].batch.exporter.zipkin',
      'tracer_provider.processors[3].batch.exporter.otlp_http',
      'tracer_provider.sampler.parent_based.remote_parent_sampled',
    ])
    const { config, warnings } = readConfig(overlay)
    assert.deepEqual(warnings, [])
    assert.deepEqual(
      { ...config.resourceAttributes },
      { 'service.name': 'shop, or "so"', team: 'a b', replicas: '3' },
    )
    assert.deepEqual({ ...config.otlp.headers }, { tenant: '1', authorization: 'Bearer a,b=c' })
    assert.deepEqual(config.exporters, ['otlp', 'file'])
    assert.deepEqual(config.sampler, { kind: 'traceidratio', parentBased: true, ratio: 0.25 })
    assert.deepEqual(config.propagators, ['tracecontext', 'b3'])
    assert.deepEqual(
      [
        config.file,
        config.logLevel,
        config.batch.scheduleDelay,
        config.limits.attributeCount,
        config.limits.eventCount,
      ],
      ['/var/tmp/a b.jsonl', 'debug', 250, 10, 7],
    )
    assert.deepEqual(
      [config.metrics?.temporality, config.metrics?.interval, config.metrics?.prometheus],
      ['lowmemory', 1000, { host: '127.0.0.1', port: 9999 }],
    )
    assert.equal(config.exemplars, false)
    const { logs } = config
    assert.deepEqual(
      [logs?.exporters, logs?.otlp.protocol, logs?.batch.scheduleDelay, config.metrics?.otlp?.protocol],
      [['otlp'], 'http/json', 0, 'grpc'],
    )
    assert.equal(set['OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT'], '5')
    assert.equal(set['OTEL_EXPORTER_OTLP_METRICS_INSECURE'], 'true')
    assert.equal(set['OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE'], '/ca.pem')
  })

  it('leaves no variable of the specification’s tables anything to say', () => {
    const names = readFileSync(fixture('config-file/variables.txt'), 'utf8').trim().split('\n')
    const files = ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE']
    assert.deepEqual(
      names.filter((name) => !IGNORED.includes(name) && !files.includes(name)),
      [],
    )
    const nonsense = Object.fromEntries(names.map((name) => [name, 'nonsense']))
    const { overlay } = resolved(example('sdk-config'), nonsense)
    const { config, warnings } = readConfig({ ...nonsense, ...overlay })
    assert.deepEqual(warnings, [])
    assert.deepEqual(config, readConfig(resolved(example('sdk-config')).overlay).config)
  })

  it('that cannot be used leaves nothing, and says where', () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-file-'))
    const path = join(folder, 'otel.yaml')
    const provider = (text: string) => `file_format: "1.0"\ntracer_provider:\n${text}`
    const wrong: [string, RegExp][] = [
      ['', /file_format: it is no version/],
      ['file_format: 1.0', /file_format: it is no text, which needs quotes here/],
      ['file_format: "0.4"', /only 1.x is understood/],
      ['file_format: "2.0"', /only 1.x is understood/],
      ['- a', /it is no mapping/],
      ['a: b: c', /line 1/],
      ['a: 1\na: 2', /unique/],
      ['file_format: "1.0"\ndisabled: "true"', /disabled: it is neither true nor false/],
      ['file_format: "1.0"\nlog_level: loud', /log_level: it is none of trace, debug/],
      ['file_format: "1.0"\nlog_level: constructor', /log_level: it is none of/],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is none
      ['file_format: "1.0"\nlog_level: ${1}', /: line 2, column 12: .* reference/],
      [
        provider(
          '  processors:\n    - simple: { exporter: { otlp_file/development: { output_stream: "file://a.jsonl" } } }\n',
        ),
        /otlp_file\/development.output_stream: it is no file:\/\/\/path/,
      ],
      [provider('  sampler: {}\n'), /tracer_provider: it has no processors/],
      [provider('  processors: 1\n'), /tracer_provider.processors: it is no list/],
      [provider('  processors:\n    - batch:\n'), /processors\[0\].batch: it has no exporter/],
      [
        provider('  processors: []\n  sampler:\n    always_on:\n    always_off:\n'),
        /tracer_provider.sampler: it does not have one key/,
      ],
      [
        provider('  processors: []\n  limits:\n    event_count_limit: -1\n'),
        /event_count_limit: it is no integer from 0/,
      ],
      [
        provider('  processors: []\n  sampler:\n    trace_id_ratio_based:\n      ratio: 2\n'),
        /ratio: it is no number from 0 to 1/,
      ],
      [
        `file_format: "1.0"\na0: &a0 [x]\n${Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]\n`).join('')}`,
        /alias/,
      ],
      [`file_format: "1.0"\n# ${'x'.repeat(1 << 20)}`, /larger than/],
    ]
    for (const [text, why] of wrong) {
      writeFileSync(path, text)
      const { set, notices } = resolved(path, { OTEL_TRACES_EXPORTER: 'console' })
      const [last] = notices.slice(-1)
      if (set['OTEL_SDK_DISABLED'] !== 'true') assert.fail(text.slice(0, 100))
      assert.deepEqual(Object.keys(set), ['OTEL_SDK_DISABLED'], text.slice(0, 100))
      assert.deepEqual([last?.level, last?.code], ['error', 'THREADSPAN_CONFIG_FILE'])
      assert.match(last!.message, why)
      assert.ok(!last!.message.includes('\n'))
    }
    rmSync(folder, { recursive: true })
    assert.match(resolved('/nowhere/otel.yaml').told.join(), /ENOENT/)
  })

  it('with a mistake says where it is, and what can have been meant', () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-file-'))
    const path = join(folder, 'otel.yaml')
    const exporter = 'exporter: { console: }'
    const mistakes: [text: string, told: string][] = [
      ['tracer_providr: {}', 'tracer_providr: it is not known, and ignored; did you mean tracer_provider?'],
      ['logger_privoder: {}', 'logger_privoder: it is not known, and ignored; did you mean logger_provider?'],
      ['tracer: {}', 'tracer: it is not known, and ignored'],
      ['"a\\e[31m": 1', 'a\ufffd[31m: it is not known, and ignored'],
      [
        'propagator: { composite: [{ tracecontxt: }] }',
        'propagator.composite: tracecontxt is not offered; it is left out',
      ],
      [
        `tracer_provider: { processors: [{ batch: { schedule_dely: 3, ${exporter} } }] }`,
        'tracer_provider.processors[0].batch.schedule_dely: it is not known, and ignored; did you mean schedule_delay?',
      ],
      [
        `tracer_provider: { processors: [{ bach: { ${exporter} } }] }`,
        'tracer_provider.processors[0].bach: this processor is not offered; it is left out',
      ],
      [
        'tracer_provider: { processors: [{ batch: { exporter: { constructor: } } }] }',
        'tracer_provider.processors[0].batch.exporter.constructor: this exporter is not offered; it is left out',
      ],
      [
        'meter_provider: { readers: [{ constructor: }] }',
        'meter_provider.readers[0].constructor: this reader is not offered; it is left out',
      ],
      [
        'tracer_provider: { processors: [], sampler: { trace_id_ratio: { ratio: 0.1 } } }',
        'tracer_provider.sampler.trace_id_ratio: this sampler is not offered; parentbased_always_on is used',
      ],
      [
        'tracer_provider: { processors: [], sampler: { parent_based: { local_parent_sampled: { odd: } } } }',
        'tracer_provider.sampler.parent_based.local_parent_sampled.odd: this sampler is not offered; always_on is used',
      ],
    ]
    for (const [text, told] of mistakes) {
      writeFileSync(path, `file_format: "1.0"\n${text}\n`)
      assert.deepEqual(resolved(path).told, [told])
    }
    rmSync(folder, { recursive: true })
  })

  it('with several processors has the times and bounds of the first that is offered', () => {
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-file-'))
    const path = join(folder, 'otel.yaml')
    const delays = (...processors: string[]) => {
      writeFileSync(
        path,
        `file_format: "1.0"\ntracer_provider: { processors: [${processors.map((one) => `{ ${one} }`).join()}] }\n`,
      )
      const { set, told } = resolved(path)
      return [set['OTEL_BSP_SCHEDULE_DELAY'], told.length]
    }
    const batch = (exporter: string, delay = '') => `batch: { ${delay} exporter: { ${exporter}: } }`
    const slow = 'schedule_delay: 7000,'
    const simple = 'simple: { exporter: { console: } }'
    assert.deepEqual(delays(batch('otlp_http'), batch('console', slow)), [undefined, 1])
    assert.deepEqual(delays(batch('otlp_http', slow), simple), ['7000', 0])
    assert.deepEqual(delays(simple, batch('otlp_http', slow)), ['0', 1])
    assert.deepEqual(delays(batch('zipkin', slow), batch('otlp_http')), [undefined, 1])
    rmSync(folder, { recursive: true })
  })

  it('is as the guide has it', () => {
    const guide = readFileSync('docs/guides/configuration-file.md', 'utf8')
    const folder = mkdtempSync(join(tmpdir(), 'threadspan-file-'))
    const path = join(folder, 'otel.yaml')
    writeFileSync(path, /```yaml\n([\s\S]+?)```/.exec(guide)![1]!)
    const { set, told } = resolved(path)
    rmSync(folder, { recursive: true })
    assert.deepEqual(told, [])
    assert.deepEqual(set, {
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop',
      OTEL_PROPAGATORS: 'tracecontext,baggage',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
    })
  })

  it('is that of the variable before, where the other is not set', () => {
    const file = example('getting-started')
    assert.ok(resolveEnvironment({ OTEL_EXPERIMENTAL_CONFIG_FILE: file }) !== undefined)
    assert.equal(resolveEnvironment({ OTEL_CONFIG_FILE: ' ' }), undefined)
  })
})
