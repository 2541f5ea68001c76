/** Values that applications hand to an API by mistake: proxies, getters that throw, lists that lie. */
import fc from 'fast-check'

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const fail = () => {
  throw new Error('a trap')
}

const throwing = new Proxy(
  {},
  { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail },
)

/** An array that says it has four billion elements. */
const endless = new Proxy([], {
  get: (target, key) => (key === 'length' ? 2 ** 32 - 1 : Reflect.get(target, key)),
})

const circular: Record<string, unknown> = {}
circular['self'] = circular

const hostile: readonly unknown[] = [
  undefined,
  null,
  Symbol('s'),
  1n,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -2,
  1e9,
  99_999_999,
  2 ** 53,
  '',
  '\ud800',
  '__proto__',
  () => fail(),
  fail,
  new Date(Number.NaN),
  new Date(0),
  new Date(8.64e15),
  [Number.NaN, Number.NaN],
  [0, 0],
  [1e300, 1],
  [-1, -1],
  [1],
  [[]],
  [undefined, null],
  new Array(50),
  circular,
  endless,
  throwing,
  revoked({}),
  revoked([]),
  revoked(() => {}),
  new Proxy(new Error('e'), { getPrototypeOf: fail }),
  { toString: fail, valueOf: fail },
  {
    get name() {
      return fail()
    },
    get message() {
      return fail()
    },
    get stack() {
      return fail()
    },
    get code() {
      return fail()
    },
  },
  {
    get a() {
      return fail()
    },
    b: 1,
  },
  {
    get traceId() {
      return fail()
    },
  },
  { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1n },
  { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, traceState: {} },
  { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, traceState: { serialize: fail } },
  { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, traceState: { serialize: () => 1 } },
  { traceId: ['a'.repeat(32)], spanId: ['b'.repeat(16)], traceFlags: 1 },
  { code: 'OK' },
  { code: 3, message: 1n },
  Object.create({ inherited: 'x' }),
  JSON.parse('{"__proto__":["p","q"],"k":1}'),
  Object.freeze([1, 'two']),
  new Map([[1, 2]]),
  new Uint8Array(3),
  new Proxy(
    {},
    {
      ownKeys: () => ['x', 'y'],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      get: fail,
    },
  ),
]

/** One of the values above, or anything; in a box, since what makes them looks at values itself. */
export const anyValue: fc.Arbitrary<() => unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.nat(hostile.length - 1).map((i) => () => hostile[i]) },
  {
    weight: 1,
    arbitrary: fc
      .anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withTypedArray: true,
        withNullPrototype: true,
      })
      .map((value) => () => value),
  },
)
