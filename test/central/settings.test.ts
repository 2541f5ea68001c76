import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeServerToAgent } from '#dist/collector/central/opamp-messages.js'
import { readSettings, SETTINGS } from '#dist/config/settings.js'
import { matcherOf } from '#dist/config/wildcards.js'

describe('the table of settings', () => {
  const usable: Record<string, [unknown, unknown][]> = {
    sampling_rate: [
      ['0.25', 0.25],
      [0, 0],
      [1, 1],
      ['1e-3', 0.001],
    ],
    recording: [
      ['FALSE', false],
      [true, true],
    ],
    send_traces: [[' true ', true]],
    send_metrics: [[false, false]],
    send_logs: [['False', false]],
    logging_level: [
      ['off', 'none'],
      ['CRITICAL', 'error'],
      ['warning', 'warn'],
      ['trace', 'debug'],
    ],
    deactivate_all_instrumentations: [['true', true]],
    deactivate_instrumentations: [['http, @opentelemetry/instrumentation-pg,,', ['http', 'pg']]],
    transaction_ignore_urls: [
      [
        ['/a', '/b*'],
        ['/a', '/b*'],
      ],
      ['', []],
    ],
    transaction_name_groups: [['GET /a/*', ['GET /a/*']]],
    stack_trace_limit: [
      ['50', 50],
      [-1, -1],
    ],
    capture_statement: [['false', false]],
    opamp_polling_interval: [
      ['30s', 30_000],
      ['500ms', 500],
      ['1h', 3_600_000],
    ],
  }
  const unusable: Record<string, unknown[]> = {
    sampling_rate: ['', ' ', '1.1', -0.1, null, [], {}, 'NaN', '0x0', 'Infinity', '1'.repeat(1000)],
    recording: ['1', 1, 'on', null, ['true']],
    logging_level: ['loud', 3, 'constructor', '__proto__', null],
    deactivate_instrumentations: [1, { 0: 'http' }, [['http']], null, 'x'.repeat(513)],
    transaction_ignore_urls: [[1], Array(101).fill('x')],
    stack_trace_limit: ['1.5', -2, 1001, '1e9'],
    opamp_polling_interval: ['30', 30, '99ms', '2h', '1d', '-1s'],
  }

  it('takes what is usable, by every name that it has', () => {
    assert.deepEqual(Object.keys(usable).sort(), SETTINGS.map(({ name }) => name).sort())
    for (const { name, aliases } of SETTINGS) {
      for (const each of [name, ...aliases]) {
        for (const [value, read] of usable[name]!)
          assert.deepEqual(readSettings({ [each]: value }), { settings: { [name]: read }, problems: [] })
      }
    }
  })

  it('is that of the guide', () => {
    const guide = readFileSync('docs/guides/central-configuration.md', 'utf8')
    const rows = [...guide.matchAll(/^\| `(\w+)` \| (?:`(\w+)`)? ?\|/gm)].map(([, name, alias]) => [
      name,
      alias,
    ])
    const told = rows.filter(([name]) => SETTINGS.some((setting) => setting.name === name))
    const known = SETTINGS.map(({ name, aliases }) => [name, aliases[0]])
    assert.deepEqual(told.sort(), known.sort())
  })

  it('leaves as it was what is not', () => {
    const last = readSettings(
      Object.fromEntries(Object.entries(usable).map(([name, [first]]) => [name, first?.[0]])),
    ).settings
    for (const [name, values] of Object.entries(unusable)) {
      for (const value of values) {
        const { settings, problems } = readSettings({ [name]: value }, last)
        assert.deepEqual(settings, { [name]: last[name as keyof typeof last] }, `${name} ${String(value)}`)
        assert.equal(problems.length, 1)
        assert.deepEqual(readSettings({ [name]: value }).settings, {})
      }
    }
  })

  it('never throws, and never holds anything but settings of their types', () => {
    const names = SETTINGS.flatMap(({ name, aliases }) => [name, ...aliases])
    const document = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue())
    fc.assert(
      fc.property(fc.oneof(document, fc.jsonValue()), (given) => {
        const { settings, problems } = readSettings(JSON.parse(JSON.stringify(given)))
        for (const [name, value] of Object.entries(settings)) {
          assert.ok(SETTINGS.some((setting) => setting.name === name))
          assert.deepEqual(
            readSettings({ [name]: name === 'opamp_polling_interval' ? `${value as number}ms` : value })
              .settings[name as 'recording'],
            value,
          )
        }
        for (const problem of problems) assert.match(problem, /^[\x20-\x7e]*$/)
      }),
    )
  })
})

describe('patterns', () => {
  it('match as Elastic’s agents have it', () => {
    const cases: [string, string, boolean][] = [
      ['/foo/*/bar/*/baz*', '/foo/a/bar/b/baz', true],
      ['/foo/*/bar/*/baz*', '/foo/a/bar/b/bas', false],
      ['*', '', true],
      ['', '', true],
      ['', 'a', false],
      ['a*', 'A', true],
      ['(?-i)a*', 'A', false],
      ['a*a', 'a', false],
      ['a*a', 'aa', true],
      ['*a*b*', 'xbxaxb', true],
      ['*a*b', 'axbx', false],
      ['a.c', 'abc', false],
      ['(a+)+$', 'aaaa', false],
      ['a**b', 'ab', true],
    ]
    for (const [pattern, text, matches] of cases)
      assert.equal(matcherOf([pattern])(text) !== undefined, matches, `${pattern} ${text}`)
    assert.equal(matcherOf(['x', '(?-i)Get /*', 'get*'])('Get /a'), 'Get /*')
  })

  it('agree with a regular expression of the same meaning', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 })
    const words = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 })
    fc.assert(
      fc.property(letters, words, (pattern, text) => {
        const source = pattern
          .split('*')
          .map((piece) => piece.replaceAll('.', '\\.'))
          .join('[^]*')
        assert.equal(matcherOf([pattern])(text) !== undefined, new RegExp(`^${source}$`).test(text))
      }),
    )
  })
})

describe('an answer of OpAMP', () => {
  it('that is none throws what says so, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeServerToAgent(bytes)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'THREADSPAN_OTLP_MALFORMED')
        }
      }),
    )
  })
})
