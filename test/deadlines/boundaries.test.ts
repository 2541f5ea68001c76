import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'

/** Where work can go, and as what. */
const BOUNDARIES: Record<string, readonly string[]> = {
  here: ['thread'],
  piscina: ['thread'],
  tinypool: ['thread', 'process'],
  workerpool: ['thread', 'process'],
  'jest-worker': ['thread', 'process'],
  poolifier: ['thread', 'process'],
  message: ['thread', 'process'],
  'worker in a worker': ['thread'],
  program: ['thread', 'process', 'plain process'],
  'program below a program': ['process'],
}

/** Those that are tasks, and so have spans of their own that end in time or late. */
const POOLS = ['piscina', 'tinypool', 'workerpool', 'jest-worker', 'poolifier']

const TIME_UP = 'true TimeoutError'
const GIVEN_UP = 'true AbortError'

interface Seen {
  readonly told: unknown
  readonly spans: ReceivedSpan[]
}

async function seen(name: string, kind: string): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-deadlines-'))
  const receiver = await Receiver.start()
  try {
    const { code, stdout, stderr } = await runProgram(fixture('deadlines/main.mjs'), {
      node: ['--require', PRELOAD],
      args: [name, kind, folder],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
    assert.deepEqual([code, stderr], [0, ''], stdout)
    return { told: JSON.parse(stdout), spans: receiver.spans }
  } finally {
    await receiver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('a deadline and a signal', { concurrency: 2 }, () => {
  for (const [name, kinds] of Object.entries(BOUNDARIES)) {
    for (const kind of kinds) {
      it(`hold on the other side: ${name}, ${kind}`, async () => {
        const { told, spans } = await seen(name, kind)
        assert.deepEqual(told, {
          free: 'false undefined',
          'time is up': [TIME_UP, TIME_UP, 'TimeoutError TimeoutError'],
          cancelled: [GIVEN_UP, 'AbortError AbortError', ...(name === 'here' ? [] : [GIVEN_UP])],
          'timed out by hand': [TIME_UP],
          'already over': TIME_UP,
          'the nearest': TIME_UP,
          'without a span': [TIME_UP, GIVEN_UP],
          'free again': 'false undefined',
        })
        if (!POOLS.includes(name)) return
        const types = (method: string) =>
          spans
            .filter((span) => /^(?:task|run) /.test(span.name) && span.name.endsWith(method))
            .map(({ attributes, status }) => `${attributes['error.type']} ${status.code}`)
        // Each task comes to a result, and its span says that it came late.
        const heard = types('hear')
        assert.ok(heard.length > 0)
        assert.deepEqual([...new Set(heard)].sort(), ['AbortError 2', 'TimeoutError 2'])
        // One of the tasks that only look is in time.
        assert.ok(types('look').includes('TimeoutError 2'))
      })
    }
  }
})
