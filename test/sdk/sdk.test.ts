/** Applications with an OpenTelemetry SDK 2 of their own: what its exporter is given. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

interface Reported {
  name: string
  kind: number
  traceId: string
  spanId: string
  traceFlags: number
  parent?: { spanId: string; traceId: string; isRemote?: boolean }
  startTime: [number, number]
  endTime: [number, number]
  status: { code: number; message?: string }
  attributes: Record<string, unknown>
  events: { name: string; attributes: Record<string, unknown> }[]
  ended: boolean
  scope: { name: string; version?: string }
  resource: Record<string, unknown>
}

const preloaded = ['--require', PRELOAD]

/** @returns the first line, and the spans, by name. */
async function run(
  file: string,
  options: { node?: string[]; args?: string[]; env?: Record<string, string> } = {},
): Promise<{ first: unknown; spans: Reported[]; named: (name: string) => Reported }> {
  const { node = preloaded, args = [], env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' } } = options
  const { code, stdout, stderr } = await runProgram(fixture(`sdk/${file}`), { node, args, env })
  assert.deepEqual([code, stderr], [0, ''])
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const spans = lines.filter((line) => 'spanId' in line) as Reported[]
  const named = (name: string): Reported => {
    const found = spans.filter((span) => span.name === name)
    assert.equal(found.length, 1, `${name}: ${found.length}`)
    return found[0]!
  }
  return { first: lines[0], spans, named }
}

describe('the preload, and an application that registers an SDK later', () => {
  it('registers all its own, and its exporter gets main, Worker and child in one trace', async () => {
    const { first, spans, named } = await run('later.cjs')
    assert.deepEqual(first, { registered: [true, true, true] })
    const request = named('request')
    const spawn = named('spawn node')
    const worker = named('in worker')
    const child = named('in child')
    assert.equal(spans.length, 4)
    assert.ok(spans.every(({ traceId }) => traceId === request.traceId))
    assert.equal(request.parent, undefined)
    assert.deepEqual(request.scope, { name: 'early', version: '2.0.0' })
    assert.equal(spawn.parent?.spanId, request.spanId)
    assert.equal(worker.parent?.spanId, request.spanId)
    assert.equal(worker.parent?.isRemote, false)
    assert.equal(child.parent?.spanId, spawn.spanId)
  })

  it('hands over whole spans: times, attributes, events, status, scope, and whose they are', async () => {
    const { named } = await run('later.cjs')
    const worker = named('in worker')
    assert.equal(worker.ended, true)
    assert.equal(worker.traceFlags & 1, 1)
    assert.equal(worker.kind, 0)
    assert.deepEqual(worker.attributes['list'], ['a', 'b'])
    assert.equal(typeof worker.attributes['thread.id'], 'number')
    assert.deepEqual(worker.events[0]?.attributes, { n: 7 })
    assert.deepEqual(worker.status, { code: 2, message: 'as told' })
    assert.deepEqual(worker.scope, { name: 'elsewhere', version: '1.2.3' })
    assert.ok(worker.startTime[0] > 1.7e9 && worker.endTime[0] >= worker.startTime[0])
    assert.deepEqual(worker.resource, named('request').resource)
    const { resource } = named('in child')
    assert.equal(resource['service.name'], 'the application')
    assert.equal(resource['process.pid'], named('spawn node').attributes['threadspan.child.pid'])
  })

  it('makes no spans of its own for requests, which the SDK is there to follow', async () => {
    const { first, spans } = await run('http.cjs')
    assert.deepEqual(first, { traceparent: null })
    assert.deepEqual(spans, [])
  })

  it('follows an SDK that was registered before it', async () => {
    const { named, spans } = await run('later.cjs', {
      node: ['--require', fixture('sdk/first.cjs'), ...preloaded],
    })
    assert.equal(spans.length, 4)
    assert.equal(named('in worker').parent?.spanId, named('request').spanId)
  })

  it('loses nothing of a Worker that makes more than a batch processor can hold', async () => {
    const { code, stdout, stderr } = await runProgram(fixture('sdk/many.cjs'), { node: preloaded })
    assert.deepEqual([code, stderr, stdout], [0, '', '8001 8001\n'])
  })

  it('keeps a child with an SDK of its own in the trace', async () => {
    const { spans, named } = await run('everywhere.cjs')
    const child = named('in child')
    assert.equal(child.traceId, named('request').traceId)
    assert.equal(child.parent?.spanId, named('spawn node').spanId)
    // Whoever enters the root on purpose is alone.
    assert.equal(named('on its own').parent, undefined)
    assert.equal(spans.length, 4)
  })
})

describe('the ends of a program with an SDK', () => {
  const end = async (ending: string, kind: string) => {
    const { code, stdout } = await runProgram(fixture('sdk/ending.cjs'), {
      node: preloaded,
      args: [ending, kind],
    })
    return { code, lines: stdout.trim().split('\n').sort() }
  }
  for (const kind of ['simple', 'batch']) {
    it(`${kind}: process.exit(), with an exporter that works at once`, async () => {
      assert.deepEqual(await end('exit', kind), {
        code: 3,
        lines: ['done', 'open: process exited with code 3', 'request'],
      })
    })

    it(`${kind}: an uncaught error`, async () => {
      assert.deepEqual(await end('uncaught', kind), {
        code: 1,
        lines: [
          'done',
          'error RangeError: wrong',
          'open: process exited with code 1 after an uncaught RangeError',
          'request',
        ],
      })
    })

    it(`${kind}: the natural end, after a terminated Worker`, async () => {
      assert.deepEqual(await end('natural', kind), {
        code: 0,
        lines: ['done', 'open: worker terminated', 'request'],
      })
    })
  }

  it('shutdown() at SIGTERM: what a Worker has finished is in it', async () => {
    const { code, lines } = await end('SIGTERM', 'batch')
    assert.equal(code, 0)
    assert.ok(lines.includes('done') && lines.includes('request'), lines.join())
  })
})

describe('start() beside an SDK', () => {
  for (const order of ['sdk first', 'start first']) {
    for (const handed of ['handed', 'found']) {
      it(`${order}, its processor ${handed}: main and pool in one trace`, async () => {
        const { first, spans, named } = await run('explicit.mjs', { node: [], args: [order, handed] })
        assert.deepEqual(first, { registered: [true, true, true] })
        const request = named('request')
        const byId = new Map(spans.map((span) => [span.spanId, span]))
        assert.equal(byId.size, spans.length)
        const tasks = spans.filter(({ name }) => name === 'in task')
        assert.equal(tasks.length, 3)
        for (const task of tasks) {
          const ran = byId.get(task.parent!.spanId)!
          assert.equal(ran.name, 'run task')
          assert.equal(byId.get(ran.parent!.spanId)!.parent!.spanId, request.spanId)
        }
        assert.ok(spans.every(({ resource }) => resource['service.name'] === 'the application'))
      })
    }
  }
})

describe('a provider whose processors cannot be found', () => {
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.spans.length = 0
  })

  it('keeps its own spans; those from elsewhere go where the environment says, in the same trace', async () => {
    const { spans, named } = await run('unknown.cjs', {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
    assert.deepEqual(spans.map(({ name }) => name).sort(), ['request', 'spawn node'])
    const [worker] = receiver.named('in worker')
    assert.equal(worker?.traceId, named('request').traceId)
    assert.equal(worker?.parentSpanId, named('request').spanId)
    assert.equal(receiver.named('in child')[0]?.parentSpanId, named('spawn node').spanId)
  })

  it('gets them once its processor is named, beside one that throws', async () => {
    const { spans } = await run('unknown.cjs', {
      args: ['handed'],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    })
    assert.deepEqual(spans.map(({ name }) => name).sort(), ['in child', 'in worker', 'request', 'spawn node'])
    assert.deepEqual(receiver.spans, [])
  })
})

describe('handSpansTo', () => {
  it('gives the processor back, and refuses what is none', async () => {
    const { handSpansTo } = await import('#dist/sdk/processors.js')
    const calls: string[] = []
    class Processor {
      readonly #own = 'mine'
      onEnd(): void {}
      async forceFlush(): Promise<void> {
        calls.push(this.#own)
      }
    }
    const processor = new Processor()
    assert.equal(handSpansTo(processor), processor)
    assert.equal(handSpansTo(processor), processor)
    await processor.forceFlush()
    assert.deepEqual(calls, ['mine'])
    assert.deepEqual(Object.keys(processor), [])
    for (const wrong of [{}, null, undefined, 'x'])
      assert.throws(() => handSpansTo(wrong as never), { code: 'THREADSPAN_INVALID_ARGUMENT' })
  })
})
