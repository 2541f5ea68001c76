import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type Context,
  createContextKey,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api'
import {
  BaggagePropagator,
  CompositePropagator,
  createPropagator,
  TraceContextPropagator,
} from '#dist/context/propagators.js'
import { counters } from '#dist/core/counters.js'
import { dist } from '../support/dist.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
type Headers = Record<string, string | string[] | undefined>
const extract = (propagator: TextMapPropagator, headers: Headers, context = ROOT_CONTEXT) =>
  propagator.extract(context, headers, defaultTextMapGetter)
const inject = (propagator: TextMapPropagator, context: Context) => {
  const headers: Record<string, string> = {}
  propagator.inject(context, headers, defaultTextMapSetter)
  return headers
}
const both = createPropagator(['tracecontext', 'baggage'])

test('carries trace context and baggage in and out, as W3C headers', () => {
  const headers = { traceparent, tracestate: 'rojo=1,congo=2', baggage: 'user=Am%C3%A9lie;p=1' }
  const context = extract(both, headers)
  assert.deepEqual(inject(both, context), headers)
  assert.equal(trace.getSpanContext(context)?.isRemote, true)
  assert.deepEqual(both.fields(), ['traceparent', 'tracestate', 'baggage'])
})

test('headers that came in several parts are one list; two traceparents are none', () => {
  const context = extract(both, {
    traceparent: [traceparent],
    tracestate: ['a=1', '', 'b=2'],
    baggage: ['c=3', 'd=4'],
  })
  assert.deepEqual(inject(both, context), { traceparent, tracestate: 'a=1,b=2', baggage: 'c=3,d=4' })
  assert.equal(extract(both, { traceparent: [traceparent, traceparent] }), ROOT_CONTEXT)
})

test('an invalid traceparent leaves the context as it was, is counted, and takes the tracestate with it', () => {
  const current = extract(both, { traceparent })
  const before = counters().get('traceparent.header') ?? 0
  assert.equal(extract(both, { traceparent: 'hello', tracestate: 'a=1' }, current), current)
  assert.equal(counters().get('traceparent.header'), before + 1)
  assert.equal(extract(both, { tracestate: 'a=1' }, current), current)
  assert.equal(counters().get('traceparent.header'), before + 1)
})

test('flags go out masked and padded', () => {
  for (const [flags, out] of [
    ['10', '00'],
    ['ff', '03'],
    ['02', '02'],
    ['01', '01'],
  ] as const) {
    assert.equal(
      inject(both, extract(both, { traceparent: traceparent.replace(/01$/, flags) }))['traceparent']?.slice(
        -3,
      ),
      `-${out}`,
    )
  }
})

test('a tracestate of more than 512 characters goes out shortened', () => {
  const tracestate = Array.from({ length: 20 }, (_, i) => `k${i}=${'v'.repeat(40)}`).join(',')
  const out = inject(both, extract(both, { traceparent, tracestate }))['tracestate']!
  assert.ok(out.length <= 512 && tracestate.startsWith(out))
})

test('nothing is sent from a context of nothing, nor where tracing is suppressed', () => {
  assert.deepEqual(inject(both, ROOT_CONTEXT), {})
  const suppress = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
  assert.deepEqual(inject(both, extract(both, { traceparent, baggage: 'a=1' }).setValue(suppress, true)), {})
  assert.deepEqual(
    inject(both, trace.setSpanContext(ROOT_CONTEXT, { traceId: '0', spanId: '0', traceFlags: 0 })),
    {},
  )
  assert.deepEqual(inject(both, propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage())), {})
})

test('a part that throws is counted, and the others do their work', () => {
  const broken: TextMapPropagator = {
    inject: () => {
      throw new Error('inject')
    },
    extract: () => {
      throw new Error('extract')
    },
    fields: () => ['broken'],
  }
  const composite = new CompositePropagator([
    broken,
    new TraceContextPropagator(),
    broken,
    new BaggagePropagator(),
  ])
  const before = counters().get('propagator.extract') ?? 0
  const context = extract(composite, { traceparent, baggage: 'a=1' })
  assert.equal(counters().get('propagator.extract'), before + 2)
  assert.deepEqual(inject(composite, context), { traceparent, baggage: 'a=1' })
  assert.deepEqual(composite.fields(), ['broken', 'traceparent', 'tracestate', 'baggage'])
})

test("b3, b3multi and jaeger are those of the application's packages", () => {
  const b3 = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1'
  const context = extract(createPropagator(['b3']), { b3 })
  assert.equal(trace.getSpanContext(context)?.traceId, '0af7651916cd43dd8448eb211c80319c')
  assert.deepEqual(inject(createPropagator(['b3', 'tracecontext', 'b3']), context), { b3, traceparent })
  assert.equal(
    inject(createPropagator(['b3multi']), context)['x-b3-traceid'],
    '0af7651916cd43dd8448eb211c80319c',
  )
  assert.match(
    inject(createPropagator(['jaeger']), context)['uber-trace-id']!,
    /^0af7651916cd43dd8448eb211c80319c:/,
  )
})

test('none is none, and twice is once', () => {
  const written: string[] = []
  createPropagator(['baggage', 'none', 'baggage']).inject(extract(both, { baggage: 'a=1' }), written, {
    set: (list, name) => list.push(name),
  })
  assert.deepEqual(written, ['baggage'])
  assert.deepEqual(createPropagator(['none']).fields(), [])
  assert.deepEqual(createPropagator([]).fields(), [])
})

test('an unknown name and a missing package give one warning each, and the others work', () => {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-propagators-'))
  const script = `
    const { createPropagator } = await import(${JSON.stringify(dist('context/propagators.js'))})
    console.log(createPropagator(['b3', 'surprise', 'toString', 'baggage']).fields().join())`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: folder,
  })
  rmSync(folder, { recursive: true })
  assert.equal(stdout, 'baggage\n')
  assert.match(stderr, /\[THREADSPAN_PROPAGATOR_MISSING\].*npm install @opentelemetry\/propagator-b3/)
  assert.equal(stderr.match(/THREADSPAN_PROPAGATOR_UNKNOWN/g)?.length, 1)
})
