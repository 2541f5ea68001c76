import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { propagation, trace } from '@opentelemetry/api'
import { createPropagator } from '#dist/context/propagators.js'
import { counters } from '#dist/core/counters.js'
import * as jobs from '#dist/instrumentation/bullmq/carrier.js'
import { readTarget } from '#dist/instrumentation/grpc/target.js'
import * as carrier from '#dist/instrumentation/messaging-carrier.js'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const HOSTILE: unknown[] = [
  undefined,
  null,
  0,
  '',
  '{',
  'null',
  '[]',
  '{"values":1}',
  '{"values":{"__proto__":{"polluted":true},"toString":1}}',
  `{"values":"${'x'.repeat(5 << 20)}"}`,
  Symbol('values'),
  Object.create(null),
  [TRACEPARENT, TRACEPARENT],
  Buffer.alloc(100, 255),
  new Proxy({}, { get: () => undefined }),
]

describe('what arrives with a message', () => {
  before(() => void propagation.setGlobalPropagator(createPropagator(['tracecontext', 'baggage'])))
  after(() => propagation.disable())

  it('is read as text and as bytes', () => {
    for (const traceparent of [TRACEPARENT, Buffer.from(TRACEPARENT), [TRACEPARENT]]) {
      const { context } = carrier.arrivedSnapshot(
        { traceparent, baggage: Buffer.from('plan=gold') },
        undefined,
      )
      assert.equal(trace.getSpanContext(context)?.spanId, 'b7ad6b7169203331')
      assert.equal(propagation.getBaggage(context)?.getEntry('plan')?.value, 'gold')
    }
  })

  it('is nothing where it is none, and never throws', () => {
    for (const hostile of HOSTILE) {
      const fields = { traceparent: hostile, tracestate: hostile, baggage: hostile }
      const { context } = carrier.arrivedSnapshot(fields, hostile)
      assert.equal(trace.getSpanContext(context), undefined)
      for (const metadata of HOSTILE) {
        const options = { telemetry: { metadata }, threadspan: hostile }
        const { fields, values } = jobs.arrivedWith(options)
        assert.doesNotThrow(() => carrier.arrivedSnapshot(fields, values))
      }
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    assert.ok(counters().get('carrier.values')! > 0)
    assert.ok(counters().get('carrier.metadata')! > 0)
  })

  it('is left alone where the application has said it itself', () => {
    assert.ok(carrier.hasContext({ traceparent: '' }))
    assert.ok(!carrier.hasContext({ baggage: 'plan=gold', other: 1 }))
    const given = { telemetry: { metadata: 'mine' } }
    assert.equal(jobs.withContext(given, 'other', undefined), given)
    const omitted = { telemetry: { omitContext: true } }
    assert.equal(jobs.withContext(omitted, 'other', 'values'), omitted)
  })
})

describe('targets of gRPC', () => {
  const TARGETS = {
    'grpc.io:50051': { address: 'grpc.io', port: 50051 },
    'dns:localhost:1': { address: 'localhost', port: 1 },
    'dns:///grpc.io': { address: 'grpc.io' },
    'dns://1.2.3.4/grpc.io:50051': { address: 'grpc.io', port: 50051 },
    'dns:[::1]:50051': { address: '::1', port: 50051 },
    'ipv4:10.0.0.1:80': { address: '10.0.0.1', port: 80 },
    'unix:///run/service.sock': { address: '/run/service.sock' },
    'unix:service.sock': { address: 'service.sock' },
    'zk://zookeeper:2181/my-server': { address: 'zk://zookeeper:2181/my-server' },
    'ipv4:10.0.0.1:1,10.0.0.2:2': { address: 'ipv4:10.0.0.1:1,10.0.0.2:2' },
    '': { address: '' },
  }
  for (const [target, read] of Object.entries(TARGETS))
    it(`are read: ${target}`, () => assert.deepEqual(readTarget(target), read))
})
