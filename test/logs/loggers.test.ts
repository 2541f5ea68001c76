import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, type ProgramResult, runProgram } from '../support/program.js'
import { type ReceivedLog, Receiver } from '../support/receiver.js'

/** What programs in `fixtures/logs` log: outside of a span of theirs, in it, and of an error. */
const EXPECTED = [
  ['main', 'outside'],
  ['main', 'inside'],
  ['main', 'failed'],
  ['pool', 'inside'],
  ['pool', 'failed'],
  ['worker', 'outside'],
  ['worker', 'inside'],
  ['worker', 'failed'],
  ['child', 'outside'],
  ['child', 'inside'],
  ['child', 'failed'],
]
const LOGGERS = ['pino', 'winston', 'bunyan', 'console', 'api']
/** Those that have fields. */
const STRUCTURED = ['pino', 'winston', 'bunyan']
const IDS = ['trace_id', 'span_id', 'trace_flags']
const ECS = ['trace.id', 'span.id', 'transaction.id']

interface Noted {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
}

type Line = Record<string, unknown>

const linesOf = ({ stdout }: ProgramResult): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

/** Without what is different in each run. */
const normal = (text: string): string =>
  text
    .replaceAll(/"(?:time|pid)":("[^"]*"|\d+)/g, '#')
    // Of a stack, the lines of whoever calls the program's code.
    .replaceAll(/\\n {4}at [^"]*/g, '')

describe('loggers', { timeout: 240_000 }, () => {
  let receiver: Receiver
  let folder: string
  let runs = 0
  before(async () => {
    receiver = await Receiver.start()
    folder = mkdtempSync(join(tmpdir(), 'threadspan-logs-'))
  })
  after(async () => {
    await receiver.close()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    receiver.logs.length = 0
    receiver.spans.length = 0
  })

  const run = async (
    logger: string,
    env: Record<string, string | undefined> = {},
    node = ['--require', PRELOAD],
  ) => {
    const ids = join(folder, `ids-${runs++}`)
    const result = await runProgram(fixture('logs/program.mjs'), {
      node,
      args: [logger],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_SERVICE_NAME: 'shop',
        OTEL_LOGS_EXPORTER: 'otlp',
        THREADSPAN_LOG_CONSOLE: logger === 'console' ? 'true' : undefined,
        IDS: ids,
        ...env,
      },
    })
    assert.equal(result.code, 0, result.stderr)
    const noted = readFileSync(ids, 'utf8').trim().split('\n')
    return { ...result, spans: noted.map((line) => JSON.parse(line) as Noted) }
  }
  const whereOf = ({ body, attributes }: ReceivedLog): unknown =>
    attributes['where'] ?? /^\w+ (\w+)/.exec(String(body))?.[1]

  for (const logger of LOGGERS) {
    it(`${logger}: each record arrives once, with the ids of the span that was active`, async () => {
      const { spans } = await run(logger)
      const told = receiver.logs.map((log) => [whereOf(log), /^\w+/.exec(String(log.body))![0]])
      assert.deepEqual(told.sort(), [...EXPECTED].sort())
      for (const log of receiver.logs) {
        const where = whereOf(log)
        const [text] = /^\w+/.exec(String(log.body))!
        assert.equal(log.severity, text === 'failed' ? 17 : 9)
        assert.equal(log.resource['service.name'], 'shop')
        assert.ok(log.time > 0n && log.time <= log.observed)
        if (text === 'outside') continue
        const { traceId, spanId } = spans.find(({ name }) => name === where)!
        assert.deepEqual([log.traceId, log.spanId, log.flags & 1], [traceId, spanId, 1])
        const { attributes } = log
        if (text === 'failed') {
          assert.deepEqual(
            [attributes['exception.type'], attributes['exception.message']],
            ['TypeError', `a fault in ${String(where)}`],
          )
          assert.match(String(attributes['exception.stacktrace']), /TypeError: a fault in/)
        } else if (STRUCTURED.includes(logger)) {
          assert.deepEqual(
            Object.keys(attributes).filter((key) => !['name', 'password'].includes(key)),
            ['where'],
          )
        }
        assert.ok(!JSON.stringify(attributes).includes('secret'))
      }
      const outside = receiver.logs.find(
        (log) => whereOf(log) === 'main' && /^outside/.test(String(log.body)),
      )!
      assert.deepEqual([outside.traceId, outside.spanId, outside.flags], ['', '', 0])
    })
  }

  for (const logger of STRUCTURED) {
    it(`${logger}: its own lines have the ids, and are as they were but for them`, async () => {
      const bare = await run(logger, {}, [])
      const none = await run(logger, { THREADSPAN_LOG_FIELDS: 'none' })
      assert.equal(normal(none.stdout), normal(bare.stdout))
      for (const [choice, names] of [
        ['otel', IDS],
        ['ecs', ECS],
        ['both', [...IDS, ...ECS]],
      ] as const) {
        const { spans, ...result } = await run(logger, {
          THREADSPAN_LOG_FIELDS: choice,
          OTEL_LOGS_EXPORTER: undefined,
        })
        const lines = linesOf(result)
        assert.equal(lines.length, EXPECTED.length)
        for (const line of lines) {
          const text = String(line['msg'] ?? line['message'])
          const own = spans.find(({ name }) => name === line['where'])
          const [trace, span] = choice === 'ecs' ? ['trace.id', 'span.id'] : ['trace_id', 'span_id']
          if (text === 'outside' && line['where'] === 'main') {
            assert.deepEqual(
              names.filter((name) => name in line),
              [],
            )
          } else if (text !== 'outside')
            assert.deepEqual([line[trace], line[span]], [own!.traceId, own!.spanId])
        }
        const without = (text: string): string =>
          names.reduce(
            (rest, name) =>
              rest.replaceAll(new RegExp(`"${name}":"[0-9a-f]+",?|,"${name}":"[0-9a-f]+"`, 'g'), ''),
            text,
          )
        assert.equal(normal(without(result.stdout)), normal(bare.stdout))
      }
      assert.deepEqual(receiver.logs.filter(({ traceId }) => traceId !== '').length > 0, true)
    })
  }

  it('are left out by their names, and where the exporter is none', async () => {
    const { stdout } = await run('pino', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pino' })
    assert.doesNotMatch(stdout, /trace_id/)
    await run('pino', { OTEL_LOGS_EXPORTER: 'none' })
    assert.deepEqual(receiver.logs, [])
  })
})
