/**
 * What every pool adapter must do, whatever the library behind it. A library comes in through a `ContractPool`; the tasks
 * are those of `test/fixtures/pools/tasks.cjs`, and spans are read from the file that `setup.cjs` writes.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api'

/** A pool of the library under test, running the functions of `tasks.cjs`. */
export interface ContractPool {
  run(handler: string, input?: unknown, options?: RunOptions): Promise<unknown>
  /** Ends when running tasks have. */
  close(): Promise<void>
  /** Ends at once. */
  destroy(): Promise<void>
}

export interface RunOptions {
  signal?: AbortSignal
  transferList?: ArrayBuffer[]
}

/** How a library makes pools. */
export interface ContractSubject {
  readonly name: string
  /** Whether the adapter can tell an error of the handler from one of the pool, by the library's internals. */
  readonly knowsOrigin: boolean
  /** Whether the library by itself never settles a task whose worker exits without an error. */
  readonly losesExits?: boolean
  /** A pool of exactly `threads` threads that run `concurrency` (1) tasks each; traced. */
  create(options: { threads: number; concurrency?: number }): ContractPool
  /** The same, as the library has it, untraced. */
  createBare(): ContractPool
}

/** A finished span, as `setup.cjs` writes it. */
export interface FinishedSpan {
  traceId: string
  spanId: string
  parent?: string
  parentIsRemote?: boolean
  name: string
  kind: SpanKind
  status: { code: number; message?: string }
  attributes: Record<string, unknown>
  events: string[]
  thread: number
}

const file = (): string => process.env['THREADSPAN_TEST_SPANS']!

/** Spans that have ended so far, in any thread. */
export function finishedSpans(traceId?: string): FinishedSpan[] {
  const lines = readFileSync(file(), 'utf8').trim().split('\n').filter(Boolean)
  const spans = lines.map((line) => JSON.parse(line) as FinishedSpan)
  return traceId === undefined ? spans : spans.filter((span) => span.traceId === traceId)
}

/** Runs `fn` as a request of its own: inside a root span, whose trace id it is given. */
export async function inRequest<T>(fn: (span: Span, traceId: string) => Promise<T>): Promise<T> {
  const span = trace.getTracer('test').startSpan('request', { root: true })
  try {
    return await context.with(
      trace.setSpan(ROOT_CONTEXT, span),
      fn,
      undefined,
      span,
      span.spanContext().traceId,
    )
  } finally {
    span.end()
  }
}

/** Flags that a test and its tasks share: the first counts tasks that have started, the others let one end each. */
export class Gates {
  readonly flags = new Int32Array(new SharedArrayBuffer(4 * 32))

  input(index: number): { flags: Int32Array; index: number } {
    return { flags: this.flags, index }
  }

  async started(count: number): Promise<void> {
    while (Atomics.load(this.flags, 0) < count) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  open(index: number): void {
    Atomics.store(this.flags, 1 + index, 1)
    Atomics.notify(this.flags, 1 + index)
  }
}

const outcome = (promise: Promise<unknown>): Promise<{ name: unknown; message: unknown; type: unknown }> =>
  promise.then(
    () => assert.fail('the task did not fail'),
    (error) => ({ name: error?.name, message: error?.message, type: error?.constructor?.name }),
  )

const only = (spans: FinishedSpan[], start: string): FinishedSpan[] =>
  spans.filter(({ name }) => name.startsWith(start))

/** Declares the cases of the contract for one subject. */
export function poolContract(subject: ContractSubject): void {
  const it = (name: string, fn: (t: TestContext, create: ContractSubject['create']) => Promise<void>) =>
    test(`${subject.name}: ${name}`, async (t) => {
      writeFileSync(file(), '')
      const pools: ContractPool[] = []
      try {
        await fn(t, (options) => {
          const pool = subject.create(options)
          pools.push(pool)
          return pool
        })
      } finally {
        await Promise.all(pools.map((pool) => pool.destroy()))
      }
    })

  it('a task gives a span where it was submitted and one where it ran', async (_, create) => {
    const pool = create({ threads: 1 })
    await inRequest(async (request, traceId) => {
      const seen = (await pool.run('where')) as { traceId: string; spanId: string }
      const spans = finishedSpans(traceId)
      const [submitted] = only(spans, 'task ')
      const [ran] = only(spans, 'run ')
      assert.equal(spans.length, 2)
      assert.ok(submitted && ran)
      assert.equal(submitted.parent, request.spanContext().spanId)
      assert.equal(ran.parent, submitted.spanId)
      assert.equal(ran.parentIsRemote, false)
      assert.deepEqual(seen, { traceId, spanId: ran.spanId })
      assert.deepEqual([submitted.kind, ran.kind], [SpanKind.INTERNAL, SpanKind.INTERNAL])
      assert.notEqual(ran.thread, submitted.thread)
      assert.equal(typeof ran.attributes['threadspan.queue.wait'], 'number')
      assert.deepEqual([submitted.status.code, ran.status.code], [0, 0])
    })
  })

  it('the context stays through the whole of an asynchronous handler', async (_, create) => {
    const pool = create({ threads: 1 })
    await inRequest(async (_, traceId) => {
      assert.deepEqual(await pool.run('whereAlong'), [traceId, traceId, traceId])
    })
  })

  it('tasks that are submitted together are siblings', async (_, create) => {
    const pool = create({ threads: 2 })
    await inRequest(async (request, traceId) => {
      await Promise.all(Array.from({ length: 8 }, () => pool.run('where')))
      const submitted = only(finishedSpans(traceId), 'task ')
      assert.equal(submitted.length, 8)
      for (const { parent } of submitted) assert.equal(parent, request.spanContext().spanId)
      assert.equal(trace.getSpan(context.active()), request)
    })
  })

  it('a task without a context runs in the root context', async (_, create) => {
    const pool = create({ threads: 1 })
    for (const handler of ['whereAlong', 'where', 'rejects', 'throws']) {
      await inRequest((_, traceId) => pool.run(handler, traceId)).catch(() => {})
      assert.deepEqual(await pool.run('where'), { traceId: undefined, spanId: undefined })
    }
    assert.deepEqual(await pool.run('whereAlong'), [undefined, undefined, undefined])
  })

  it('a task without a context runs in the root context beside one that has one', async (_, create) => {
    const pool = create({ threads: 1, concurrency: 2 })
    const gates = new Gates()
    const first = inRequest((_, traceId) => Promise.all([traceId, pool.run('gate', gates.input(0))]))
    await gates.started(1)
    const second = pool.run('gate', gates.input(1))
    await gates.started(2)
    gates.open(1)
    assert.deepEqual(await second, [undefined, undefined])
    gates.open(0)
    const [traceId, seen] = await first
    assert.deepEqual(seen, [traceId, traceId])
  })

  it('transactions that share a worker at the same time keep apart', async (_, create) => {
    const pool = create({ threads: 1, concurrency: 4 })
    const gates = new Gates()
    const requests = [0, 1, 2, 3].map((index) =>
      inRequest((_, traceId) => Promise.all([traceId, pool.run('gate', gates.input(index))])),
    )
    await gates.started(4)
    for (const index of [2, 0, 3, 1]) gates.open(index)
    const traces = new Set<string>()
    for (const [traceId, seen] of await Promise.all(requests)) {
      assert.deepEqual(seen, [traceId, traceId])
      traces.add(traceId)
    }
    assert.equal(traces.size, 4)
  })

  it('queued tasks keep the context of their submission', async (_, create) => {
    const pool = create({ threads: 1 })
    const gates = new Gates()
    const blocker = pool.run('block', gates.input(0))
    await gates.started(1)
    const requests = Array.from({ length: 5 }, () =>
      inRequest(async (_, traceId) => [traceId, ((await pool.run('where')) as { traceId: string }).traceId]),
    )
    const rootless = pool.run('where')
    gates.open(0)
    assert.equal(await blocker, undefined)
    for (const [traceId, seen] of await Promise.all(requests)) assert.equal(seen, traceId)
    assert.deepEqual(await rootless, { traceId: undefined, spanId: undefined })
  })

  it('baggage travels, with a span and without', async (_, create) => {
    const pool = create({ threads: 1 })
    const baggage = propagation.createBaggage({ tenant: { value: 'a, b; c' } })
    const active = propagation.setBaggage(ROOT_CONTEXT, baggage)
    assert.deepEqual(await context.with(active, () => pool.run('baggage')), [['tenant', 'a, b; c']])
    assert.equal(finishedSpans().length, 0)
    await inRequest(async () => {
      const both = propagation.setBaggage(context.active(), baggage)
      assert.deepEqual(await context.with(both, () => pool.run('baggage')), [['tenant', 'a, b; c']])
    })
    assert.equal(await pool.run('baggage'), undefined)
  })

  for (const handler of ['throws', 'rejects']) {
    it(`an error that a handler ${handler} is the library's own, and both spans tell of it`, async (_, create) => {
      const pool = create({ threads: 1 })
      const bare = subject.createBare()
      const expected = await outcome(bare.run(handler, 'no such luck'))
      await bare.destroy()
      await inRequest(async (_, traceId) => {
        assert.deepEqual(await outcome(pool.run(handler, 'no such luck')), expected)
        const spans = finishedSpans(traceId)
        const [submitted] = only(spans, 'task ')
        const [ran] = only(spans, 'run ')
        assert.deepEqual([submitted?.status.code, ran?.status.code], [2, 2])
        assert.equal(ran?.status.message, 'no such luck')
        // In either thread it is told once.
        assert.deepEqual([submitted?.events, ran?.events], [['exception'], ['exception']])
      })
    })
  }

  it('undefined can be thrown', async (_, create) => {
    const pool = create({ threads: 1 })
    const bare = subject.createBare()
    const settled = (each: ContractPool) => Promise.allSettled([each.run('throwsUndefined')])
    const expected = await settled(bare)
    await bare.destroy()
    assert.deepEqual(await inRequest(() => settled(pool)), expected)
    assert.equal(finishedSpans().length, 3)
  })

  it('a lazy thenable does its work once, in its context', async (_, create) => {
    const pool = create({ threads: 1 })
    await inRequest(async (_, traceId) => {
      assert.deepEqual(await pool.run('lazily'), { runs: 1, traceId })
      assert.equal(finishedSpans(traceId).length, 2)
    })
  })

  it('a task that cannot be cloned fails as without tracing', async (_, create) => {
    const pool = create({ threads: 1 })
    const bare = subject.createBare()
    const expected = await outcome(bare.run('echo', { fn() {} }))
    await bare.destroy()
    await inRequest(async (_, traceId) => {
      assert.deepEqual(await outcome(pool.run('echo', { fn() {} })), expected)
      const spans = finishedSpans(traceId)
      assert.deepEqual(
        spans.map(({ status }) => status.code),
        [2],
      )
      assert.deepEqual(await pool.run('echo', { fine: true }), { fine: true })
    })
  })

  it('what is in the transfer list is transferred', async (_, create) => {
    const pool = create({ threads: 1 })
    const buffer = new ArrayBuffer(64)
    await inRequest(async () => {
      assert.equal(await pool.run('byteLength', buffer, { transferList: [buffer] }), 64)
    })
    assert.equal(buffer.byteLength, 0)
  })

  it('a task that is aborted before its submission ends its span', async (_, create) => {
    const pool = create({ threads: 1 })
    await inRequest(async (_, traceId) => {
      const { name } = await outcome(pool.run('where', null, { signal: AbortSignal.abort() }))
      assert.equal(name, 'AbortError')
      const [submitted, ...others] = finishedSpans(traceId)
      assert.equal(submitted?.attributes['error.type'], 'AbortError')
      assert.deepEqual(others, [])
      assert.equal(((await pool.run('where')) as { traceId: string }).traceId, traceId)
    })
  })

  it('a task that is aborted in the queue ends its span and never runs', async (_, create) => {
    const pool = create({ threads: 1 })
    const gates = new Gates()
    const blocker = pool.run('block', gates.input(0))
    await gates.started(1)
    await inRequest(async (_, traceId) => {
      const controller = new AbortController()
      const aborted = outcome(pool.run('where', null, { signal: controller.signal }))
      controller.abort()
      assert.equal((await aborted).name, 'AbortError')
      gates.open(0)
      await blocker
      await pool.run('where')
      assert.deepEqual(
        only(finishedSpans(traceId), 'task ').map(({ attributes }) => attributes['error.type']),
        ['AbortError', undefined],
      )
      assert.equal(only(finishedSpans(traceId), 'run ').length, 1)
    })
  })

  it('a task that is aborted while it runs ends its span', async (_, create) => {
    const pool = create({ threads: 1 })
    const gates = new Gates()
    await inRequest(async (_, traceId) => {
      const controller = new AbortController()
      const aborted = outcome(pool.run('block', gates.input(0), { signal: controller.signal }))
      await gates.started(1)
      controller.abort()
      assert.equal((await aborted).name, 'AbortError')
      const [submitted] = finishedSpans(traceId)
      assert.equal(submitted?.attributes['error.type'], 'AbortError')
      assert.deepEqual(submitted?.events, [])
      assert.equal(((await pool.run('where')) as { traceId: string }).traceId, traceId)
    })
  })

  for (const handler of subject.losesExits === true ? ['dies'] : ['exits', 'dies']) {
    it(`a worker that ${handler} fails its task, and its successor gets context`, async (_, create) => {
      const pool = create({ threads: 1 })
      const bare = subject.createBare()
      const expected = await outcome(bare.run(handler))
      await bare.destroy()
      await inRequest(async (_, traceId) => {
        assert.deepEqual(await outcome(pool.run(handler)), expected)
        const [submitted] = only(finishedSpans(traceId), 'task ')
        assert.equal(submitted?.status.code, 2)
        assert.deepEqual(submitted?.events, subject.knowsOrigin ? ['exception'] : [])
        assert.equal(((await pool.run('where')) as { traceId: string }).traceId, traceId)
      })
    })
  }

  it('destroy ends the spans of running and queued tasks', async (_, create) => {
    const pool = create({ threads: 1 })
    const gates = new Gates()
    await inRequest(async (_, traceId) => {
      const running = outcome(pool.run('block', gates.input(0)))
      const queued = outcome(pool.run('where'))
      await gates.started(1)
      await pool.destroy()
      await Promise.all([running, queued])
      const spans = finishedSpans(traceId)
      assert.deepEqual(
        spans.map(({ status }) => status.code),
        [2, 2],
      )
    })
  })

  it('close lets tasks end with their context', async (_, create) => {
    const pool = create({ threads: 1 })
    await inRequest(async (_, traceId) => {
      const results = Promise.all([pool.run('whereAlong'), pool.run('whereAlong')])
      await pool.close()
      for (const seen of await results) assert.deepEqual(seen, [traceId, traceId, traceId])
      assert.equal(finishedSpans(traceId).length, 4)
    })
  })
}
