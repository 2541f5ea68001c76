import assert from 'node:assert/strict'
import module from 'node:module'
import { describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { type ReceivedSpan, Receiver } from '../support/receiver.js'

/** Whether this Node shows ES modules. */
const showsModules = 'registerHooks' in module

interface Library {
  readonly library: string
  readonly name: string
  readonly forms: readonly ('require' | 'import')[]
  /** Whether the run of a task in the worker is a span as well. */
  readonly hasRuns?: boolean
  /** What comes before the name of a task. */
  readonly prefix?: string
}

const LIBRARIES: Library[] = [
  { library: 'workerpool', name: 'workerpool', forms: ['require', 'import'] },
  { library: 'workerpool', name: 'workerpool-9', forms: ['require', 'import'] },
  { library: 'jest-worker', name: 'jest-worker', forms: showsModules ? ['require', 'import'] : ['require'] },
  { library: 'jest-worker', name: 'jest-worker-29', forms: ['require', 'import'] },
  {
    library: 'poolifier',
    name: 'poolifier',
    forms: showsModules ? ['require', 'import'] : ['require'],
    hasRuns: true,
  },
  {
    library: 'tinypool',
    name: 'tinypool',
    forms: showsModules ? ['import'] : [],
    hasRuns: true,
    prefix: 'work.',
  },
]

/** The spans of a program whose requests share a pool of two workers, which was made inside of the first one. */
async function spansOf(library: string, name: string, kind: string, form: string): Promise<ReceivedSpan[]> {
  const receiver = await Receiver.start()
  try {
    const { code, stdout, stderr } = await runProgram(fixture('message-pools/main.mjs'), {
      node: ['--require', PRELOAD],
      args: [library, name, kind, form],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, WORKERPOOL: name },
    })
    assert.deepEqual([code, stdout, stderr], [0, 'done\n', ''])
    return receiver.spans
  } finally {
    await receiver.close()
  }
}

describe('tasks of pools that are followed as they are', { concurrency: 2 }, () => {
  for (const { library, name, forms, hasRuns = false, prefix = '' } of LIBRARIES) {
    for (const kind of ['thread', 'process']) {
      for (const form of forms) {
        it(`lie below who submitted them: ${name}, ${kind}, ${form}`, async () => {
          const spans = await spansOf(library, name, kind, form)
          const byId = new Map(spans.map((span) => [span.spanId, span]))
          const above = (span: ReceivedSpan): string[] => {
            const parent = byId.get(span.parentSpanId)
            if (parent === undefined) assert.equal(span.parentSpanId, '')
            return parent === undefined ? [] : [parent.name, ...above(parent)]
          }
          const task = (method: string) => [
            ...(hasRuns ? [`run ${prefix}${method}`] : []),
            `task ${prefix}${method}`,
          ]
          const made = (method: string) =>
            spans
              .filter((span) => span.name === method)
              .map((span) => ({ span, whose: span.attributes['whose'] }))
          const works = made('work')
          // The first one, four for each request and one that fails, and one outside of all.
          assert.equal(works.length, 1 + 6 * 5 + 1)
          for (const { span, whose } of works) {
            const path = above(span)
            if (whose === 'outside') assert.deepEqual(path, [])
            else if (path.includes(`task ${prefix}fail`)) assert.deepEqual(path, [...task('fail'), whose])
            else assert.deepEqual(path, [...task('work'), whose])
          }
          for (const { span, whose } of made('later'))
            assert.deepEqual(above(span), ['work', ...(whose === 'outside' ? [] : [...task('work'), whose])])
        })
      }
    }

    if (forms.length > 0) {
      it(`tell of their pool, their wait and their failure: ${name}`, async () => {
        const spans = await spansOf(library, name, 'thread', forms[0]!)
        const tasks = spans.filter((span) => span.name === `task ${prefix}work`)
        assert.equal(tasks.length, 25)
        const waits = hasRuns ? spans.filter((span) => span.name === `run ${prefix}work`) : tasks
        for (const { attributes } of tasks) {
          assert.equal(attributes['threadspan.pool'], library)
          if (!hasRuns) assert.equal(attributes['threadspan.task'], 'work')
        }
        // Two workers and four tasks of each request at once: most have waited.
        assert.ok(
          waits.filter(({ attributes }) => Number(attributes['threadspan.queue.wait']) > 1).length > 8,
        )
        const failed = spans.filter((span) => span.name === `task ${prefix}fail`)
        assert.equal(failed.length, 6)
        for (const { status, start, end } of failed) {
          assert.equal(status.code, 2)
          assert.ok(end > start)
        }
      })
    }
  }
})
