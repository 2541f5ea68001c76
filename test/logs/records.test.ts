import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedLog, Receiver } from '../support/receiver.js'

describe('log records', { timeout: 240_000 }, () => {
  let receiver: Receiver
  let folder: string
  before(async () => {
    receiver = await Receiver.start()
    folder = mkdtempSync(join(tmpdir(), 'threadspan-records-'))
  })
  after(async () => {
    await receiver.close()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    receiver.logs.length = 0
    receiver.spans.length = 0
    for (const path of Object.keys(receiver.answers)) delete receiver.answers[path]
  })

  const run = (
    file: string,
    args: readonly string[] = [],
    env: Record<string, string | undefined> = {},
    node: readonly string[] = ['--require', PRELOAD],
  ) =>
    runProgram(fixture(`logs/${file}`), {
      node,
      args,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_LOGS_EXPORTER: 'otlp', ...env },
    })
  const withBody = (body: unknown): ReceivedLog => receiver.logs.find((log) => log.body === body)!

  describe("of OpenTelemetry's API", () => {
    it('arrive with all that they say', async () => {
      assert.equal((await run('api.mjs', ['whole'])).code, 0)
      const [log, ...others] = receiver.logs
      assert.deepEqual(others, [])
      assert.deepEqual(log!.body, { items: [1, 'two', { three: true }], total: 12.5, none: undefined })
      assert.deepEqual(
        [log!.eventName, log!.severity, log!.level, log!.scope],
        ['order.placed', 14, 'WARN', 'shop'],
      )
      assert.equal(log!.time, BigInt(Date.UTC(2026, 0, 2)) * 1_000_000n)
      assert.ok(log!.observed > log!.time)
      const { big, huge, bytes, nested } = log!.attributes
      assert.deepEqual(
        [big, huge, bytes, nested],
        [2 ** 60, String(2n ** 80n), Buffer.from([1, 2, 3]), { a: { b: 'c' } }],
      )
    })

    it('belong to the span of the context that is given, or is active', async () => {
      await run('api.mjs', ['contexts'])
      const idOf = (name: string): string => receiver.spans.find((span) => span.name === name)!.spanId
      assert.equal(withBody('given').spanId, idOf('other'))
      assert.equal(withBody('active').spanId, idOf('active'))
      assert.deepEqual([withBody('none').spanId, withBody('plain').spanId], ['', ''])
    })

    it('never throw, and what can be told is', async () => {
      const { code, stdout, stderr } = await run('api.mjs', ['hostile'])
      assert.deepEqual([code, stdout, stderr], [0, 'true\n', ''])
      assert.equal(receiver.logs.length, 12)
      assert.equal(withBody('thrower').attributes['good'], 1)
      const odd = receiver.logs.filter(({ body }) => body === 'odd')
      assert.deepEqual(
        odd.map(({ severity, level }) => [severity, level]),
        [
          [0, ''],
          [0, ''],
        ],
      )
      const withMap = receiver.logs.find(({ attributes }) => 'map' in attributes)!
      assert.deepEqual(withMap.attributes, { map: { k: 1 }, set: [1], date: new Date(0).toISOString() })
      assert.deepEqual(Object.keys(withBody('proto').attributes).sort(), ['__proto__', 'constructor'])
    })

    it('never take others along, whatever the context, its span or the scope is', async () => {
      const { code, stderr } = await run('api.mjs', ['spans'])
      assert.deepEqual([code, stderr], [0, ''])
      assert.equal(receiver.logs.filter(({ body }) => body === 'odd').length, 12 + 8 + 8 + 9)
      assert.deepEqual(
        receiver.logs.filter(({ spanId }) => spanId !== '').map(({ body }) => body),
        ['good'],
      )
    })

    it('are kept within their limits, and say what is missing', async () => {
      await run('api.mjs', ['limits'], { OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: '10' })
      const many = withBody('many')
      assert.deepEqual([Object.keys(many.attributes).length, many.dropped], [128, 72])
      assert.equal(withBody('long').attributes['text'], 'x'.repeat(10))
      receiver.logs.length = 0
      await run('api.mjs', ['limits'], { OTEL_ATTRIBUTE_COUNT_LIMIT: '3' })
      assert.deepEqual([Object.keys(withBody('many').attributes).length, withBody('many').dropped], [3, 197])
      const cut = receiver.logs.find(({ attributes }) => attributes['threadspan.truncated'] === true)!
      assert.match(String(cut.body), /^y{10000,}$/)
      assert.equal(cut.attributes['n'], 1)
    })

    it('come faster than they are read, and are all accounted for', async () => {
      const { stderr } = await run('api.mjs', ['flood'], { THREADSPAN_EXIT_TIMEOUT: '60000' })
      assert.equal(stderr, '')
      assert.deepEqual(
        receiver.logs.map(({ body }) => body),
        Array.from({ length: 50_000 }, (_, i) => i),
      )
    })

    for (const when of ['early', 'late']) {
      it(`go to a LoggerProvider of the application's, registered ${when}`, async () => {
        const { stdout } = await run('sdk.mjs', [when])
        assert.deepEqual(JSON.parse(stdout), {
          isOwn: true,
          own: when === 'late' ? ['own', 'after'] : ['own'],
        })
        assert.deepEqual(
          receiver.logs.map(({ body }) => body),
          when === 'late' ? ['before'] : [],
        )
      })
    }
  })

  it("of pino are told by pino's own keys, whatever it is asked to do", async () => {
    const { code, stdout, stderr } = await run('odd-pino.mjs')
    assert.deepEqual([code, stderr], [0, ''])
    const { spanId, traceId } = receiver.spans.find(({ name }) => name === 'work')!
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const lineOf = (text: string) => lines.find((line) => (line['msg'] ?? line['message']) === text)!
    const own = withBody('own keys')
    assert.deepEqual([own.level, own.severity, own.attributes], ['audit', 11, { who: 'me' }])
    assert.deepEqual([lineOf('own keys')['level'], lineOf('own keys')['span_id']], ['audit', spanId])
    assert.equal(withBody('own error').attributes['exception.type'], 'RangeError')
    assert.deepEqual(
      ['mixin', 'child', 'given'].map((text) => [lineOf(text)['trace_id'], lineOf(text)['span_id']]),
      [
        ['mine', spanId],
        [traceId, 'bound'],
        ['given', spanId],
      ],
    )
    for (const text of ['within', 'around', 'first', 'second']) {
      assert.equal(lineOf(text)['span_id'], spanId, text)
      assert.equal(stdout.split(`"msg":"${text}"`).length, 2)
      assert.equal(withBody(text).spanId, spanId)
    }
    assert.ok(lineOf('caught serializer'))
    assert.deepEqual([lineOf('made')['trace_id'], lineOf('made')['span_id']], ['made', spanId])
    assert.deepEqual(Object.keys(lineOf('anew')).slice(4), ['trace_id', 'span_id', 'trace_flags', 'n', 'msg'])
    assert.equal(lineOf('is bound')['bound'], 1)
    assert.equal(lineOf('frozen')['span_id'], undefined)
    for (const text of ['frozen', 'cold', 'around cold']) assert.equal(withBody(text).spanId, spanId)
    const other = receiver.spans.find(({ name }) => name === 'other')!
    assert.equal(lineOf('warm')['span_id'], other.spanId)
    assert.ok(lineOf('asked 1'))
    const long = receiver.logs.find(({ attributes }) => attributes['threadspan.truncated'] === true)!
    assert.match(String(long.body), /^\{"level":30.*"text":"x{1000,}$/)
    assert.deepEqual([lineOf('outside')['trace_id'], withBody('outside').traceId], [undefined, ''])
    // No logger is left with the ids of a line.
    for (const line of stdout.split('\n'))
      assert.ok((line.match(/"(?:span|trace)_id"/g) ?? []).length <= 2, line)
    for (const line of stdout.split('\n')) assert.ok((line.match(/"trace_id"/g) ?? []).length <= 1, line)
  })

  it('tell nothing of an error that its logger has taken out', async () => {
    const { code, stdout, stderr } = await run('redacting.mjs')
    assert.deepEqual([code, stderr], [0, ''])
    assert.equal(receiver.logs.length, 8)
    const exceptionOf = (body: string): unknown[] =>
      ['type', 'message', 'stacktrace'].map((name) => withBody(body).attributes[`exception.${name}`])
    assert.deepEqual(exceptionOf('redacted'), ['Error', '[Redacted]', '[Redacted]'])
    assert.deepEqual(exceptionOf('removed'), ['Error', undefined, undefined])
    assert.deepEqual(exceptionOf('masked'), ['Error', '***', 'none'])
    assert.deepEqual(exceptionOf('named'), ['Error', undefined, undefined])
    assert.equal(withBody('at last').attributes['text'], '***')
    assert.equal(exceptionOf('causeless')[1], 'told')
    const [type, message, stack] = exceptionOf('whole')
    assert.deepEqual([type, message], ['TypeError', 'in full\nof "two" lines'])
    assert.match(String(stack), /^TypeError: in full\n.*\n {4}at /)
    assert.deepEqual(exceptionOf('winston ***'), ['Error', undefined, undefined])
    assert.doesNotMatch(stdout, /hushed/)
    assert.doesNotMatch(
      JSON.stringify(receiver.logs.map(({ body, attributes }) => [body, attributes])),
      /hushed/,
    )
  })

  it('of loggers that are imported begin with the first line', async () => {
    const { code, stdout } = await run('imported.mjs')
    assert.equal(code, 0)
    assert.equal(stdout.split('"trace_id"').length, 4)
    const [{ spanId } = { spanId: '' }] = receiver.spans
    const told = receiver.logs.map(({ body, spanId }) => `${String(body)} ${spanId}`).sort()
    const names = ['bunyan', 'pino', 'winston']
    assert.deepEqual(
      told,
      names.flatMap((name) => [`${name} `, `${name} ${spanId}`]),
    )
  })

  it('of winston are made of whatever can be handed to it, which stays as it is', async () => {
    const bare = await run('odd-winston.mjs', [], {}, [])
    const { code, stdout, stderr } = await run('odd-winston.mjs')
    assert.deepEqual([code, stderr], [0, ''])
    const ids = /"(?:span_id|trace_flags|trace_id)":"[0-9a-f]+",?/g
    assert.equal(stdout.replaceAll(ids, '').replaceAll(',}', '}'), bare.stdout)
    const spanIdOf = (name: string) => receiver.spans.find((span) => span.name === name)!.spanId
    assert.deepEqual(
      receiver.logs.map(({ body, spanId }) => [body, spanId]),
      [
        ['private', spanIdOf('work')],
        ['faulty', spanIdOf('work')],
        ['shared', spanIdOf('work')],
        ['shared', spanIdOf('other')],
      ],
    )
  })

  it('of the console take nothing from what it prints', async () => {
    const bare = await run('odd-console.mjs', [], {}, [])
    const { code, stdout } = await run('odd-console.mjs', [], { THREADSPAN_LOG_CONSOLE: 'true' })
    assert.deepEqual([code, stdout], [0, bare.stdout])
    assert.ok(withBody('this is 1'))
  })

  it('of errors tell them once: a span that tells of one has it, and by choice each has', async () => {
    await run('errors.mjs')
    const eventsOf = (): unknown[] =>
      receiver.spans.flatMap(({ events }) => events.map(({ attributes }) => attributes['exception.message']))
    assert.deepEqual(eventsOf(), ['captured'])
    assert.equal(withBody('failed').attributes['exception.message'], 'logged')
    assert.deepEqual(
      [
        withBody('told').attributes['exception.type'],
        (withBody('told').attributes['err'] as { type: string }).type,
      ],
      [undefined, 'RangeError'],
    )
    receiver.spans.length = 0
    receiver.logs.length = 0
    await run('errors.mjs', [], { THREADSPAN_LOG_ERRORS: 'true' })
    assert.deepEqual(eventsOf(), ['logged', 'captured'])
    assert.equal(withBody('warned').attributes['exception.message'], 'only a warning')
    for (const logger of ['pino', 'winston', 'console']) {
      receiver.spans.length = 0
      receiver.logs.length = 0
      const env = {
        OTEL_LOGS_EXPORTER: undefined,
        THREADSPAN_LOG_ERRORS: 'true',
        THREADSPAN_LOG_CONSOLE: 'true',
      }
      await run('errors.mjs', [logger], env)
      assert.deepEqual([eventsOf(), receiver.logs], [['logged', 'captured'], []], logger)
    }
  })

  it('are written to a file, and to the console', async () => {
    const file = join(folder, 'logs.jsonl')
    const env = { OTEL_LOGS_EXPORTER: 'file', OTEL_TRACES_EXPORTER: 'none', THREADSPAN_FILE: file }
    await run('api.mjs', ['whole'], env)
    const [line] = readFileSync(file, 'utf8').trim().split('\n')
    const [{ scopeLogs }] = (
      JSON.parse(line!) as { resourceLogs: [{ scopeLogs: [{ logRecords: unknown[] }] }] }
    ).resourceLogs
    assert.equal((scopeLogs[0].logRecords[0] as { eventName: string }).eventName, 'order.placed')
    const { stdout } = await run('api.mjs', ['whole'], { ...env, OTEL_LOGS_EXPORTER: 'console' })
    assert.match(stdout, /^2026-01-02T00:00:00.000Z \S+ WARN \{"items"/)
    assert.deepEqual(receiver.logs, [])
  })

  it('that could not be delivered are kept, and told of', async () => {
    const spool = join(folder, 'spool')
    receiver.answers['/v1/logs'] = 503
    const env = { THREADSPAN_SPOOL: spool }
    const failed = await run('api.mjs', ['whole', 'contexts'], { ...env, THREADSPAN_EXIT_TIMEOUT: '500' })
    assert.match(failed.stderr, /log records cannot be delivered.*\n/)
    assert.ok(readdirSync(spool).some((file) => file.includes('-logs-of-5')))
    delete receiver.answers['/v1/logs']
    await run('api.mjs', [], { ...env, THREADSPAN_EXIT_TIMEOUT: '20000', THREADSPAN_TRANSACTION: 'next' })
    assert.equal(receiver.logs.length, 5)
    const lost = await run('api.mjs', ['whole'], {
      THREADSPAN_EXIT_TIMEOUT: '300',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://127.0.0.1:1/v1/logs',
    })
    assert.match(lost.stderr, /1 of 1 log records did not arrive: endpoint 1/)
  })

  it('are in the accounts', async () => {
    const program = join(folder, 'accounts.mjs')
    writeFileSync(
      program,
      `import { createRequire } from 'node:module'
       import { accounts, flush, start } from ${JSON.stringify(join(process.cwd(), process.env['THREADSPAN_DIST'] ?? 'dist', 'index.js'))}
       start()
       const { logs } = createRequire(${JSON.stringify(join(process.cwd(), 'package.json'))})('@opentelemetry/api-logs')
       const before = accounts().logs
       logs.getLogger('app').emit({ body: 'one' })
       await flush()
       console.log(JSON.stringify([before, accounts().logs]))`,
    )
    const { stdout, stderr } = await runProgram(program, {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_LOGS_EXPORTER: 'otlp' },
    })
    assert.deepEqual(JSON.parse(stdout || stderr), [
      null,
      { made: 1, delivered: 1, waiting: 0, kept: 0, dropped: {} },
    ])
    assert.equal(receiver.logs.length, 1)
  })
})
