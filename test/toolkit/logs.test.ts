import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { Piscina } from 'piscina'
import { fixture } from '../support/program.js'

process.env['OTEL_TRACES_EXPORTER'] = 'none'

import {
  logFields,
  pinoMixin,
  start,
  tracePool,
  winstonFormat,
  withSpan,
  withTransaction,
} from '#dist/index.js'

start()

type Pino = (options: object, stream: Writable) => { info(fields: object, text: string): void }
const pino = createRequire(resolve('package.json'))('pino') as Pino

/** The ids inside a transaction with a span in it, and what `fn` gives there. */
const inside = <T>(fn: () => T) =>
  withTransaction('work', ({ id, traceId }) =>
    withSpan('step', (span) => ({ id, traceId, spanId: span.spanContext().spanId, result: fn() })),
  )

describe('logFields', () => {
  it('has the names of OpenTelemetry and of ECS; nothing outside of a span', () => {
    assert.deepEqual(logFields(), {})
    const { id, traceId, spanId, result } = inside(() => [
      logFields(),
      logFields({ format: 'ecs' }),
      logFields({ format: 'both' }),
    ])
    const otel = { trace_id: traceId, span_id: spanId, trace_flags: '03', transaction_id: id }
    const ecs = { 'trace.id': traceId, 'span.id': spanId, 'transaction.id': id }
    assert.deepEqual(result, [otel, ecs, { ...otel, ...ecs }])
  })

  it('in a worker tells of the same transaction', async () => {
    const pool = tracePool(new Piscina({ filename: fixture('toolkit/log-worker.mjs'), maxThreads: 1 }))
    try {
      const { id, traceId, result } = inside(() => pool.run(null))
      const fields = (await result) as Record<string, string>
      assert.deepEqual([fields['trace_id'], fields['transaction_id']], [traceId, id])
      assert.match(fields['span_id']!, /^[0-9a-f]{16}$/)
    } finally {
      await pool.destroy()
    }
  })
})

it('pinoMixin: each line has the ids of its own moment', () => {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const logger = pino({ mixin: pinoMixin({ format: 'ecs' }) }, stream)
  const { traceId, spanId } = inside(() => logger.info({ user: 1 }, 'inside'))
  logger.info({}, 'outside')
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual([first!['trace.id'], first!['span.id'], first!['user']], [traceId, spanId, 1])
  assert.equal('trace.id' in second!, false)
})

it('winstonFormat: adds to the line that it is given, and leaves what is there', () => {
  const format = winstonFormat()
  const { spanId, result } = inside(() => {
    const info = { level: 'info', message: 'x', trace_id: 'mine' }
    return format.transform(info) === info ? info : undefined
  })
  assert.deepEqual(
    [result!.trace_id, (result as unknown as Record<string, string>)['span_id']],
    ['mine', spanId],
  )
  assert.deepEqual(format.transform({ level: 'info' }), { level: 'info' })
})
