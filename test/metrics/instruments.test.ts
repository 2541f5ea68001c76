import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Meter, ValueType } from '@opentelemetry/api'
import fc from 'fast-check'
import { startClock } from '#dist/core/clock.js'
import { counters } from '#dist/index.js'
import { CellReader } from '#dist/metrics/cells.js'
import { measureHere } from '#dist/metrics/measure.js'
import { DeltaView, MergedMetrics } from '#dist/metrics/merged.js'

import { CONTROL_BYTES, OBSERVE } from '#dist/ring/layout.js'
import type {
  ExponentialHistogramPoint,
  HistogramPoint,
  MetricData,
  NumberPoint,
} from '../../src/otlp/metrics-types.js'

startClock()
const SINCE = 1_790_000_000_000_000_000n

/** A thread that measures, as its collector sees it; several can have one. */
function thread(merged = new MergedMetrics(SINCE), isExponential = false) {
  const reader = new CellReader()
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES))
  let time = 1000
  const measures = measureHere({
    opened: (block, index) => reader.add(block, index),
    time: () => ++time,
    control,
    ring: () => undefined,
    scopeOf: () => undefined,
    isExponential,
  })
  const source = merged.add(reader)
  return {
    merged,
    meter: measures.provider.getMeter('test', '1.0'),
    provider: measures.provider,
    measures,
    end: () => source.end(),
    /** As the collector does before an export. */
    async round() {
      const round = Atomics.add(control, OBSERVE, 1) + 1
      Atomics.notify(control, OBSERVE)
      for (let turn = 0; turn < 100 && reader.isBehind(round); turn++) await nextTurn()
      return !reader.isBehind(round)
    },
    points: (name: string, view?: InstanceType<typeof DeltaView>) => points(merged, name, view),
  }
}

type Merged = InstanceType<typeof MergedMetrics>

function dataOf(merged: Merged, name: string, view?: InstanceType<typeof DeltaView>): MetricData | undefined {
  const collected = merged.collect(view)
  collected.arrived()
  const found = collected.scopes.flatMap(({ metrics }) => metrics).find((metric) => metric.name === name)
  return found?.data ?? undefined
}

function points(merged: Merged, name: string, view?: InstanceType<typeof DeltaView>) {
  return ((dataOf(merged, name, view)?.points ?? []) as (NumberPoint | HistogramPoint)[]).map((point) =>
    'value' in point
      ? [{ ...point.attributes }, point.value]
      : [{ ...point.attributes }, point.count, point.sum, point.min, point.max, point.bucketCounts],
  )
}

const counted = (cause: string): number => counters().get(cause) ?? 0

describe('a counter', () => {
  it('adds up by its attributes, in whatever order they come', () => {
    const { meter, points } = thread()
    const counter = meter.createCounter('orders', { unit: '{order}' })
    counter.add(1, { route: '/a', method: 'GET' })
    counter.add(2, { method: 'GET', route: '/a' })
    counter.add(0.5, { route: '/a', method: 'POST' })
    counter.add(4)
    counter.add(8, {})
    assert.deepEqual(points('orders'), [
      [{ method: 'GET', route: '/a' }, 3],
      [{ method: 'POST', route: '/a' }, 0.5],
      [{}, 12],
    ])
  })

  it('tells values of different types apart, and takes what is none for not given', () => {
    const { meter, points } = thread()
    const counter = meter.createCounter('typed')
    const before = counted('metric.attribute')
    for (const id of [1, '1', true, ['a', 'b'], Number.NaN]) counter.add(1, { id } as never)
    for (const id of [undefined, null, {}, () => {}, Symbol('x'), 5n]) counter.add(1, { id } as never)
    counter.add(1)
    assert.deepEqual(points('typed'), [
      [{ id: 1 }, 1],
      [{ id: '1' }, 1],
      [{ id: true }, 1],
      [{ id: ['a', 'b'] }, 1],
      [{ id: Number.NaN }, 1],
      [{}, 7],
    ])
    assert.equal(counted('metric.attribute') - before, 4)
  })

  it('sees an object that has changed since the last call', () => {
    const { meter, points } = thread()
    const counter = meter.createCounter('changing')
    const attributes: Record<string, string> = { a: '1' }
    counter.add(1, attributes)
    attributes['a'] = '2'
    counter.add(1, attributes)
    attributes['b'] = '3'
    counter.add(1, attributes)
    delete attributes['a']
    counter.add(1, attributes)
    assert.deepEqual(points('changing'), [
      [{ a: '1' }, 1],
      [{ a: '2' }, 1],
      [{ a: '2', b: '3' }, 1],
      [{ b: '3' }, 1],
    ])
  })

  it('ignores and counts what cannot be added', () => {
    const { meter, points } = thread()
    const counter = meter.createCounter('strict')
    const before = counted('metric.value')
    const values = [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', 5n, undefined, null, {}, true]
    for (const value of values) counter.add(value as never)
    assert.deepEqual(points('strict'), [])
    assert.equal(counted('metric.value') - before, values.length)
    counter.add(-0)
    assert.deepEqual(points('strict'), [[{}, 0]])
  })

  it('throws nothing, whatever the attributes are', () => {
    const { meter, points } = thread()
    const counter = meter.createCounter('hostile')
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const getter = {
      get a(): string {
        throw new Error('no')
      },
    }
    for (const attributes of [proxy, getter, 5, 'text', null, [], () => {}, Object.create(null)])
      counter.add(1, attributes as never)
    assert.deepEqual(points('hostile'), [[{}, 8]])
  })

  it('takes a callback for whatever list it is given, and asks it for what is in there', async () => {
    const { meter, round, points } = thread()
    const gauge = meter.createObservableGauge('listed')
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    const endless = Object.defineProperty([gauge], 'length', { value: 2 ** 32 - 1 })
    for (const list of [proxy, 5, null, { length: 2 ** 32 }, endless])
      meter.addBatchObservableCallback((result) => result.observe(gauge, 7), list as never)
    await round()
    assert.deepEqual(points('listed'), [[{}, 7]])
  })

  it('of integers cuts what is behind the point', () => {
    const { meter, merged } = thread()
    meter.createCounter('whole', { valueType: ValueType.INT }).add(2.7)
    meter.createCounter('real', { valueType: ValueType.DOUBLE }).add(2)
    const only = (name: string) => dataOf(merged, name)!.points[0] as NumberPoint
    assert.deepEqual([only('whole').value, only('whole').isDouble], [2, undefined])
    assert.deepEqual([only('real').value, only('real').isDouble], [2, true])
  })
})

describe('other instruments', () => {
  it('go up and down', () => {
    const { meter, merged } = thread()
    const counter = meter.createUpDownCounter('waiting')
    for (const value of [5, -2, Number.NaN, Number.NEGATIVE_INFINITY]) counter.add(value)
    const data = dataOf(merged, 'waiting') as Extract<MetricData, { kind: 'sum' }>
    assert.deepEqual([data.monotonic, data.points[0]!.value], [false, 3])
  })

  it('put values into buckets, the upper bound among them', () => {
    const { meter, points, merged } = thread()
    const histogram = meter.createHistogram('size', { advice: { explicitBucketBoundaries: [10, 5, 5, 20] } })
    for (const value of [0, 5, 5.1, 10, 21, -1, Number.NaN]) histogram.record(value)
    assert.deepEqual(points('size'), [[{}, 5, 41.1, 0, 21, [2, 2, 0, 1]]])
    const data = dataOf(merged, 'size') as Extract<MetricData, { kind: 'histogram' }>
    assert.deepEqual(data.points[0]!.explicitBounds, [5, 10, 20])
    meter.createHistogram('usual').record(1)
    const usual = dataOf(merged, 'usual') as typeof data
    assert.deepEqual(
      usual.points[0]!.explicitBounds,
      [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000],
    )
    const bare = meter.createHistogram('bare', { advice: { explicitBucketBoundaries: [] } })
    bare.record(3)
    assert.deepEqual(points('bare'), [[{}, 1, 3, 3, 3, [1]]])
  })

  it('keep the last value', () => {
    const { meter, points } = thread()
    const gauge = meter.createGauge('level')
    for (const value of [1, -7, Number.NaN]) gauge.record(value)
    assert.deepEqual(points('level'), [[{}, -7]])
  })

  it('are one for one description, and apart for another', () => {
    const { meter, provider, points, merged } = thread()
    const one = meter.createCounter('Orders', { unit: 'x' })
    assert.equal(meter.createCounter('orders', { unit: 'x' }), one)
    assert.equal(provider.getMeter('test', '1.0').createCounter('Orders', { unit: 'x' }), one)
    assert.notEqual(provider.getMeter('test', '2.0').createCounter('Orders', { unit: 'x' }), one)
    one.add(1)
    meter.createCounter('Orders', { unit: 'y' }).add(2)
    assert.deepEqual(points('Orders'), [[{}, 1]])
    const { scopes } = merged.collect()
    assert.deepEqual(
      scopes.flatMap(({ metrics }) => metrics.map(({ name, unit }) => [name, unit])),
      [
        ['Orders', 'x'],
        ['Orders', 'y'],
      ],
    )
  })

  it('measure nothing under a name that is none, and say so once', async () => {
    const { meter, merged } = thread()
    const warnings: string[] = []
    const listener = (warning: Error & { code?: string }) => warnings.push(warning.code ?? '')
    process.on('warning', listener)
    for (const name of ['', '1st', 'a b', 'x'.repeat(256), 'ä', 5, undefined, {}]) {
      meter.createCounter(name as string).add(1)
      meter.createHistogram(name as string).record(1)
      meter.createObservableGauge(name as string).addCallback(() => assert.fail('asked'))
    }
    await nextTurn()
    process.off('warning', listener)
    assert.deepEqual(warnings, ['THREADSPAN_METRIC_NAME'])
    assert.deepEqual(merged.collect().scopes, [])
    meter.createCounter(`a${'x_.-/9'.repeat(42)}`).add(1)
    assert.equal(merged.collect().scopes.length, 1)
  })
})

describe('instruments that are asked', () => {
  it('say what they say in the last round alone', async () => {
    const { meter, points, round } = thread()
    let rooms = ['a', 'b']
    const gauge = meter.createObservableGauge('degrees')
    gauge.addCallback((result) => {
      for (const room of rooms) result.observe(20, { room })
    })
    assert.deepEqual(points('degrees'), [])
    assert.equal(await round(), true)
    assert.deepEqual(points('degrees'), [
      [{ room: 'a' }, 20],
      [{ room: 'b' }, 20],
    ])
    rooms = ['b']
    await round()
    assert.deepEqual(points('degrees'), [[{ room: 'b' }, 20]])
  })

  it('are asked together, also later, and no more once they are taken away', async () => {
    const { meter, points, round } = thread()
    const up = meter.createObservableCounter('up')
    const both = meter.createObservableUpDownCounter('both')
    const other = meter.createObservableGauge('other')
    let value = 0
    const callback = async (result: Parameters<Parameters<Meter['addBatchObservableCallback']>[0]>[0]) => {
      await nextTurn()
      value += 2
      result.observe(up, value)
      result.observe(both, -value)
      result.observe(other, value)
    }
    meter.addBatchObservableCallback(callback, [up, both])
    meter.addBatchObservableCallback(callback, [both, up])
    await round()
    assert.deepEqual([points('up'), points('both'), points('other')], [[[{}, 2]], [[{}, -2]], []])
    meter.removeBatchObservableCallback(callback, [up, both])
    await round()
    assert.deepEqual([points('up'), value], [[], 2])
  })

  it('do not keep others from being asked when they throw', async () => {
    const { meter, points, round } = thread()
    const before = counted('metric.callback')
    meter.createObservableGauge('bad').addCallback(() => {
      throw new Error('no')
    })
    meter.createObservableGauge('worse').addCallback(() => Promise.reject(new Error('no')))
    meter.createObservableGauge('good').addCallback((result) => result.observe(1))
    meter.createObservableGauge('none').addCallback('no function' as never)
    assert.equal(await round(), true)
    assert.deepEqual(points('good'), [[{}, 1]])
    assert.equal(counted('metric.callback') - before, 3)
  })
})

describe('threads together', () => {
  it('are one sum, and those that are gone count on', () => {
    const one = thread()
    const two = thread(one.merged)
    for (const [i, { meter }] of [one, two].entries()) {
      meter.createCounter('n').add(i + 1, { a: 'x' })
      meter.createHistogram('h', { advice: { explicitBucketBoundaries: [10] } }).record(i * 20 + 1)
    }
    const expected = () => {
      assert.deepEqual(one.points('n'), [[{ a: 'x' }, 3]])
      assert.deepEqual(one.points('h'), [[{}, 2, 22, 1, 21, [1, 1]]])
    }
    expected()
    two.end()
    expected()
    const three = thread(one.merged)
    three.meter.createCounter('n').add(10, { a: 'x' })
    three.end()
    one.end()
    assert.deepEqual(one.points('n'), [[{ a: 'x' }, 13]])
  })

  it('have the gauge that was set last, and the observed gauge of nobody who is gone', async () => {
    const one = thread()
    const two = thread(one.merged)
    one.meter.createGauge('g').record(1)
    two.meter.createGauge('g').record(2)
    two.meter.createGauge('g').record(3)
    assert.deepEqual(one.points('g'), [[{}, 3]])
    two.meter.createObservableGauge('o').addCallback((result) => result.observe(5))
    two.meter.createObservableCounter('c').addCallback((result) => result.observe(7))
    await two.round()
    two.end()
    assert.deepEqual([one.points('g'), one.points('o'), one.points('c')], [[[{}, 3]], [], [[{}, 7]]])
  })

  it('tell differences of what has arrived, and nothing where nothing has come', () => {
    const { meter, merged } = thread()
    const view = new DeltaView((kind) => kind !== 'updowncounter')
    const counter = meter.createCounter('n')
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [10] } })
    const waiting = meter.createUpDownCounter('w')
    const add = () => {
      counter.add(2)
      histogram.record(4)
      waiting.add(1)
    }
    add()
    assert.deepEqual(points(merged, 'n', view), [[{}, 2]])
    add()
    // Nobody has taken this.
    merged.collect(view)
    add()
    const { scopes, arrived } = merged.collect(view)
    const [n, h, w] = scopes[0]!.metrics.map(({ data }) => data!) as [MetricData, MetricData, MetricData]
    assert.deepEqual([(n.points[0] as NumberPoint).value, n.kind === 'sum' && n.temporality], [4, 1])
    const { count, sum, min, max, bucketCounts } = h.points[0] as HistogramPoint
    assert.deepEqual([count, sum, min, max, bucketCounts], [2, 8, null, null, [2, 0]])
    assert.deepEqual([(w.points[0] as NumberPoint).value, w.kind === 'sum' && w.temporality], [3, 2])
    assert.ok(n.points[0]!.startTimeUnixNano > SINCE)
    arrived()
    assert.deepEqual(points(merged, 'n', view), [])
  })
})

describe('exponential histograms', () => {
  const only = (merged: Merged, view?: InstanceType<typeof DeltaView>) => {
    const data = dataOf(merged, 'h', view) as
      | Extract<MetricData, { kind: 'exponentialHistogram' }>
      | undefined
    return data?.points[0]
  }
  /** In which bucket of a point a value lies, and what that holds. */
  const bucketOf = (point: ExponentialHistogramPoint, value: number) => {
    const width = 2 ** -point.scale
    const at = point.positive.bucketCounts.findIndex((_, i) => {
      const lower = (point.positive.offset + i) * width
      return Math.log2(value) > lower - 1e-9 && Math.log2(value) <= lower + width + 1e-9
    })
    return point.positive.bucketCounts[at]
  }

  it('have all values, each in its bucket, however far apart they are', () => {
    const { meter, merged } = thread(undefined, true)
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1] } })
    histogram.record(1)
    assert.deepEqual([only(merged)!.scale, only(merged)!.positive.bucketCounts], [8, [1]])
    assert.equal(bucketOf(only(merged)!, 1), 1)
    const values = [0, 1.001, 1.5, 40, 1e6, 1e-6, 5e-324, Number.MAX_VALUE]
    for (const value of values) {
      histogram.record(value)
      if (value > 0) assert.ok(bucketOf(only(merged)!, value)! >= 1, `${value}`)
    }
    const { count, zeroCount, min, max, positive, scale, negative } = only(merged)!
    assert.deepEqual([count, zeroCount, min, max], [9, 1, 0, Number.MAX_VALUE])
    assert.equal(
      positive.bucketCounts.reduce((sum, one) => sum + one, 0),
      8,
    )
    assert.ok(positive.bucketCounts.length <= 160 && scale < 0)
    assert.deepEqual(negative.bucketCounts, [])
  })

  it('are merged over threads, those that are gone among them, at the coarsest scale', () => {
    const one = thread(undefined, true)
    const two = thread(one.merged, true)
    const record = ({ meter }: typeof one, ...values: number[]) => {
      for (const value of values) meter.createHistogram('h').record(value)
    }
    record(one, 1, 1.01, 1.02)
    assert.equal(only(one.merged)!.scale, 8)
    record(two, 1000, 2000, 0)
    const expected = () => {
      const point = only(one.merged)!
      assert.deepEqual([point.count, point.zeroCount, point.min, point.max], [6, 1, 0, 2000])
      for (const value of [1, 1000, 2000]) assert.ok(bucketOf(point, value)! >= 1, `${value}`)
      assert.ok(point.positive.bucketCounts.length <= 160)
    }
    expected()
    two.end()
    expected()
    one.end()
    expected()
  })

  it('tell what has come since, also where the scale has changed', () => {
    const { meter, merged } = thread(undefined, true)
    const view = new DeltaView(() => true)
    const histogram = meter.createHistogram('h')
    for (const value of [1, 2, 3]) histogram.record(value)
    assert.equal(only(merged, view)!.count, 3)
    for (const value of [2, 500, 0]) histogram.record(value)
    const { count, sum, zeroCount, min, positive } = only(merged, view)!
    assert.deepEqual([count, sum, zeroCount, min], [3, 502, 1, null])
    assert.equal(
      positive.bucketCounts.reduce((total, one) => total + one, 0),
      2,
    )
    assert.equal(only(merged, view), undefined)
  })

  it('agree with the values for any of them', () => {
    const value = fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true })
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), (values) => {
        const { meter, merged } = thread(undefined, true)
        for (const one of values) meter.createHistogram('h').record(one)
        const point = only(merged)!
        assert.deepEqual(
          [point.count, point.min, point.max, point.zeroCount],
          [values.length, Math.min(...values), Math.max(...values), values.filter((one) => one === 0).length],
        )
        const inBuckets = point.positive.bucketCounts.reduce((total, one) => total + one, 0)
        assert.equal(inBuckets, values.length - point.zeroCount)
      }),
      { numRuns: 300 },
    )
  })
})

describe('too much', () => {
  it('goes into the overflow series, within bounded memory', () => {
    const { meter, points } = thread()
    const counter = meter.createCounter('wide')
    const before = counted('metric.overflow')
    for (let i = 0; i < 100_000; i++) counter.add(1, { id: `id ${i}` })
    const found = points('wide') as [Record<string, unknown>, number][]
    assert.equal(found.length, 2000)
    const overflow = found.find(([attributes]) => attributes['otel.metric.overflow'] === true)
    assert.equal(overflow![1], 98_001)
    assert.equal(
      found.reduce((sum, [, value]) => sum + value, 0),
      100_000,
    )
    assert.equal(counted('metric.overflow') - before, 98_001)
  })

  it('of several threads does so together', () => {
    const one = thread()
    const two = thread(one.merged)
    for (let i = 0; i < 1500; i++) {
      one.meter.createCounter('wide').add(1, { id: i })
      two.meter.createCounter('wide').add(1, { id: -i - 1 })
    }
    const found = one.points('wide') as [Record<string, unknown>, number][]
    assert.equal(found.length, 2000)
    assert.equal(
      found.reduce((sum, [, value]) => sum + value, 0),
      3000,
    )
  })

  it('leaves an attribute that is too long to the overflow, and a thread within its memory', () => {
    const { meter, points } = thread()
    meter.createCounter('long').add(1, { text: 'x'.repeat(20_000) })
    assert.deepEqual(points('long'), [[{ 'otel.metric.overflow': true }, 1]])
    for (let i = 0; i < 2500; i++) meter.createCounter(`many${i}`).add(1, { text: 'x'.repeat(16_000) })
    assert.deepEqual(points('many2499'), [])
  })

  it('adds up what is drawn at random', () => {
    const value = fc.oneof(fc.integer(), fc.double(), fc.bigInt(), fc.string(), fc.constant(undefined))
    const attributes = fc.dictionary(
      fc.string(),
      fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(value, attributes), { maxLength: 50 }), (calls) => {
        const { meter, points } = thread()
        const counter = meter.createCounter('any', { valueType: ValueType.INT })
        let expected = 0
        for (const [amount, set] of calls) {
          counter.add(amount as number, set as never)
          if (typeof amount === 'number' && amount >= 0 && amount < 2 ** 40) expected += Math.trunc(amount)
        }
        if (calls.some(([amount]) => typeof amount === 'number' && amount >= 2 ** 40)) return
        const found = points('any') as [object, number][]
        assert.equal(
          found.reduce((sum, [, total]) => sum + total, 0),
          expected,
        )
      }),
      { numRuns: 300 },
    )
  })
})
