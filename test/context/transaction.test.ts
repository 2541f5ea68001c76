import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { contextWithSpan } from '#dist/context/context.js'
import { capture } from '#dist/context/snapshot.js'
import { withSpan } from '#dist/context/span.js'
import {
  contextWithTransaction,
  currentTransaction,
  startTransaction,
  transactionOf,
  withTransaction,
} from '#dist/context/transaction.js'
import { dist } from '../support/dist.js'

const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
)
const finished = () => exporter.getFinishedSpans()
const named = (name: string) => finished().find((span) => span.name === name)!

beforeEach(() => exporter.reset())

describe('withSpan', () => {
  test('spans nest, siblings are siblings, across await', async () => {
    await withSpan('parent', async (span) => {
      assert.equal(trace.getActiveSpan(), span)
      await Promise.all(['a', 'b'].map((name) => withSpan(name, () => sleep(2))))
      withSpan('c', () => {})
      assert.equal(trace.getActiveSpan(), span)
    })
    assert.equal(trace.getActiveSpan(), undefined)
    const { spanId } = named('parent').spanContext()
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => named(name).parentSpanContext?.spanId),
      [spanId, spanId, spanId],
    )
    assert.equal(named('parent').parentSpanContext, undefined)
  })

  test('takes the options of a span', () => {
    withSpan(
      {
        name: 'named',
        kind: SpanKind.CLIENT,
        attributes: { a: 1 },
        links: [{ context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 } }],
      },
      () => {
        withSpan({ name: 'apart', root: true }, () => {})
      },
    )
    const span = named('named')
    assert.deepEqual([span.kind, span.attributes, span.links.length], [SpanKind.CLIENT, { a: 1 }, 1])
    assert.notEqual(named('apart').spanContext().traceId, span.spanContext().traceId)
  })

  test('ends when a synchronous result is there, and hands it on as it is', () => {
    const result = { own: true }
    assert.equal(
      withSpan('sync', () => result),
      result,
    )
    assert.equal(finished().length, 1)
    assert.equal(
      withSpan('undefined', () => undefined),
      undefined,
    )
    assert.equal(
      withSpan('null', () => null),
      null,
    )
  })

  test('ends when a promise settles, of whatever class', async () => {
    class Mine<T> extends Promise<T> {}
    const promise = withSpan('async', () => new Mine<number>((resolve) => setTimeout(resolve, 2, 7)))
    assert.ok(promise instanceof Mine)
    assert.equal(finished().length, 0)
    assert.equal(await promise, 7)
    assert.equal(finished().length, 1)
  })

  test('ends when a thenable settles, which its caller alone asks, and comes back itself', async () => {
    let asked = 0
    class Query {
      #text = 'select'
      where(): this {
        this.#text += ' where'
        return this
      }
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      then(resolve: (value: string) => void): void {
        asked++
        setTimeout(resolve, 2, this.#text)
      }
    }
    const query = new Query()
    const same = withSpan('thenable', () => query)
    assert.equal(same, query)
    assert.equal(asked, 0)
    const waiting = same.where() as unknown as Promise<string>
    assert.equal(await waiting, 'select where')
    assert.equal(asked, 1)
    assert.equal(named('thenable').status.code, SpanStatusCode.UNSET)
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    const failing = { then: (_: unknown, reject: (error: unknown) => void) => reject(new RangeError('no')) }
    const failed = withSpan('failing', () => failing) as unknown as Promise<never>
    await assert.rejects(async () => {
      await failed
    }, RangeError)
    assert.equal(named('failing').status.code, SpanStatusCode.ERROR)
  })

  test('ends with the turn where nobody asks a thenable', async () => {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    withSpan('unasked', () => ({ then: () => assert.fail('it was asked') }))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(named('unasked').status.code, SpanStatusCode.UNSET)
  })

  test('a promise keeps its class, identity, private fields, and what libraries have put on it', async () => {
    class ApiPromise<T> extends Promise<T> {
      static override get [Symbol.species]() {
        return Promise
      }
      #id = 7
      id(): number {
        return this.#id
      }
    }
    const made = new ApiPromise<string>((resolve) => setTimeout(resolve, 1, 'data'))
    const same = withSpan('subclass', () => made)
    assert.equal(same, made)
    assert.equal(same.id(), 7)
    assert.equal(finished().length, 0)
    assert.equal(await same, 'data')
    assert.equal(finished().length, 1)
    const mark = Symbol('mark')
    for (const properties of [{ pid: 7, kill: () => 'killed' }, { [mark]: 1 }]) {
      const child = Object.assign(Promise.resolve(0), properties)
      const followed = withSpan('with properties', () => child)
      assert.equal(followed, child)
      assert.equal(await followed, 0)
    }
    const frozen = Object.freeze(Object.assign(Promise.resolve(0), { pid: 7 }))
    assert.equal(await withSpan('frozen', () => frozen), 0)
    assert.equal(finished().length, 4)
  })

  test('a rejection is as unhandled as it was', async () => {
    class Mine<T> extends Promise<T> {}
    const later = (make: typeof Promise) => () =>
      new make<never>((_, reject) => setTimeout(reject, 1, new Error('unhandled')))
    for (const [kind, fn] of [
      ['plain', later(Promise)],
      ['subclass', later(Mine)],
      ['with properties', () => Object.assign(later(Promise)(), { pid: 7 })],
    ] as const) {
      const unhandled: unknown[] = []
      const listener = (reason: unknown) => unhandled.push(reason)
      const others = process.listeners('unhandledRejection')
      process.removeAllListeners('unhandledRejection').on('unhandledRejection', listener)
      void withSpan(kind, fn)
      const handled = withSpan(kind, fn)
      await handled.catch(() => {})
      await withSpan(kind, fn).then(
        () => {},
        () => {},
      )
      await sleep(20)
      process.removeListener('unhandledRejection', listener)
      for (const other of others) process.on('unhandledRejection', other)
      assert.equal(unhandled.length, 1, kind)
    }
  })

  for (const [kind, fn] of [
    [
      'thrown',
      () => {
        throw new RangeError('out of it')
      },
    ],
    ['rejected', () => Promise.reject(new RangeError('out of it'))],
    [
      'later',
      () =>
        sleep(1).then(() => {
          throw new RangeError('out of it')
        }),
    ],
    [
      'broken then',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
        then: () => {
          throw new RangeError('out of it')
        },
      }),
    ],
  ] as [string, () => unknown][]) {
    test(`an error (${kind}) is recorded and thrown on, and the span ends once`, async () => {
      await assert.rejects(async () => withSpan('fails', fn), { name: 'RangeError', message: 'out of it' })
      assert.equal(finished().length, 1)
      const span = named('fails')
      assert.deepEqual(span.status, { code: SpanStatusCode.ERROR, message: 'out of it' })
      assert.equal(span.attributes['error.type'], 'RangeError')
      assert.deepEqual(
        span.events.map((event) => [
          event.name,
          event.attributes?.['exception.type'],
          event.attributes?.['exception.message'],
        ]),
        [['exception', 'RangeError', 'out of it']],
      )
      assert.match(String(span.events[0]?.attributes?.['exception.stacktrace']), /transaction\.test/)
    })
  }

  test('anything may be thrown: it arrives as it is, and the span tells of it', () => {
    const hostile = {
      toString: () => {
        throw new Error('no text')
      },
    }
    const getter = new Error('x')
    Object.defineProperty(getter, 'message', {
      get: () => {
        throw new Error('no message')
      },
    })
    for (const value of ['text', 7, null, undefined, hostile, getter, Symbol('s'), Object.create(null)]) {
      exporter.reset()
      let caught: unknown = 'nothing'
      try {
        withSpan('odd', () => {
          throw value
        })
      } catch (error) {
        caught = error
      }
      assert.equal(caught, value)
      assert.equal(finished()[0]?.status.code, SpanStatusCode.ERROR)
    }
  })

  test('a rejection that nobody handles is still unhandled', () => {
    const script = `
      const { withSpan } = await import(${JSON.stringify(dist('context/span.js'))})
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message))
      withSpan('x', async () => { throw new Error('mine') })
      withSpan('y', async () => { throw new Error('handled') }).catch(() => {})`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    assert.equal(stdout, 'unhandled mine\n')
  })
})

describe('withTransaction', () => {
  test('is the current transaction in all that it starts, and the spans in it are its children', async () => {
    await withTransaction('job', async (transaction) => {
      await sleep(1)
      withSpan('inner', () => assert.equal(currentTransaction(), transaction))
      assert.equal(transaction.id, trace.getActiveSpan()?.spanContext().spanId)
      assert.deepEqual([transaction.name, transaction.local], ['job', true])
      transaction.setName('renamed').setAttribute('a', 1).setAttributes({ b: 2 })
      assert.equal(transaction.name, 'renamed')
    })
    assert.equal(currentTransaction(), undefined)
    assert.deepEqual(named('renamed').attributes, { a: 1, b: 2 })
    assert.equal(named('inner').parentSpanContext?.spanId, named('renamed').spanContext().spanId)
  })

  test('inside another it is its child, and the inner one is the current', () => {
    withTransaction('outer', (outer) => {
      withTransaction('inner', (inner) => {
        assert.equal(currentTransaction(), inner)
        assert.equal(inner.traceId, outer.traceId)
      })
      assert.equal(currentTransaction(), outer)
    })
    assert.equal(named('inner').parentSpanContext?.spanId, named('outer').spanContext().spanId)
  })

  test('an error fails it', () => {
    assert.throws(
      () =>
        withTransaction('fails', () => {
          throw new Error('no')
        }),
      /no/,
    )
    assert.equal(named('fails').status.code, SpanStatusCode.ERROR)
  })

  test('travels by id, trace and the name that it has then', () => {
    withTransaction({ name: 'GET', kind: SpanKind.SERVER }, (transaction) => {
      trace.getActiveSpan()?.updateName('GET /users/:id')
      withSpan('inner', (span) => {
        const { traceparent, transaction: carried } = capture().toCarrier()
        assert.deepEqual(carried, { id: transaction.id, name: 'GET /users/:id' })
        assert.equal(traceparent, `00-${transaction.traceId}-${span.spanContext().spanId}-01`)
      })
    })
  })

  test('does not travel with a span of another trace', () => {
    withTransaction('job', () => {
      withSpan({ name: 'apart', root: true }, (span) => {
        const { traceparent, transaction } = capture().toCarrier()
        assert.equal(traceparent?.slice(3, 35), span.spanContext().traceId)
        assert.equal(transaction, undefined)
      })
    })
  })

  test('startTransaction and contextWithTransaction: for instrumentations that end it themselves', () => {
    const transaction = startTransaction('request', ROOT_CONTEXT)
    context.with(contextWithTransaction(ROOT_CONTEXT, transaction), () => {
      assert.equal(currentTransaction(), transaction)
      assert.equal(trace.getActiveSpan(), transaction.span)
    })
    assert.equal(transactionOf(transaction.span), transaction)
    transaction.span.end()
    assert.ok(named('request'))
  })

  test('without one set, the local root that a span tells is found', () => {
    const root = trace.getTracer('t').startSpan('local root')
    const span = Object.assign(trace.getTracer('t').startSpan('child'), { localRoot: root })
    context.with(contextWithSpan(ROOT_CONTEXT, span), () => {
      assert.equal(currentTransaction()?.span, root)
      assert.equal(currentTransaction()?.name, 'local root')
      assert.equal(currentTransaction(), currentTransaction())
    })
  })
})

test('with neither an SDK nor a context manager everything runs, and what arrived goes on', () => {
  const script = `
    const { withTransaction, currentTransaction } = await import(${JSON.stringify(dist('context/transaction.js'))})
    const { withSpan } = await import(${JSON.stringify(dist('context/span.js'))})
    const { Snapshot, capture } = await import(${JSON.stringify(dist('context/snapshot.js'))})
    const carrier = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
    const alone = await withTransaction('t', async (t) => { t.setName('u'); return withSpan('s', () => [currentTransaction() === t, capture().toCarrier()]) })
    const arrived = Snapshot.from(carrier).run(() => withSpan('s', () => capture().toCarrier()))
    console.log(JSON.stringify([alone, arrived]))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  const carrier = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  assert.deepEqual(JSON.parse(stdout), [[true, {}], carrier], stderr)
})

test('a provider that is registered later, or another one, is used from then on', () => {
  const other = new InMemorySpanExporter()
  trace.disable()
  withSpan('to nobody', () => {})
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(other)] }))
  withSpan('to the other', () => {})
  assert.deepEqual(
    other.getFinishedSpans().map((span) => span.name),
    ['to the other'],
  )
  assert.equal(finished().length, 0)
})
