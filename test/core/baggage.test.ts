import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baggageEntryMetadataFromString, propagation } from '@opentelemetry/api'
import fc from 'fast-check'

import { formatBaggage, parseBaggage } from '#dist/core/baggage.js'
import { counters } from '#dist/core/counters.js'

const read = (header: string) =>
  (parseBaggage(header)?.getAllEntries() ?? []).map(([key, { value, metadata }]) =>
    metadata === undefined ? [key, value] : [key, value, metadata.toString()],
  )
const counted = (cause: string, run: () => void) => {
  const before = counters().get(cause) ?? 0
  run()
  return (counters().get(cause) ?? 0) - before
}

test('reads members, properties, optional white space and equals signs', () => {
  assert.deepEqual(read('SomeKey=SomeValue'), [['SomeKey', 'SomeValue']])
  assert.deepEqual(
    read('SomeKey \t = \t SomeValue \t ; \t SomeProp \t , \t K2 \t = \t V2 \t ; \t P \t = \t Q'),
    [
      ['SomeKey', 'SomeValue', 'SomeProp'],
      ['K2', 'V2', 'P=Q'],
    ],
  )
  assert.deepEqual(read('a=b=c==;p;p=1;p=2'), [['a', 'b=c==', 'p;p=1;p=2']])
  assert.deepEqual(read('a=,b=2'), [
    ['a', ''],
    ['b', '2'],
  ])
  assert.deepEqual(read('a=1;ValueProp%20%09%3D%20PropVal'), [['a', '1', 'ValueProp%20%09%3D%20PropVal']])
})

test('decodes percent-encoded values; octets that are no UTF-8 become U+FFFD', () => {
  assert.deepEqual(read('u=Am%C3%A9lie,s=DF%2028,x=%f0%9f%92%bc'), [
    ['u', 'Amélie'],
    ['s', 'DF 28'],
    ['x', '💼'],
  ])
  assert.deepEqual(read('a=%C3%28,b=100%,c=%ff%41'), [
    ['a', '\ufffd('],
    ['b', '100%'],
    ['c', '\ufffdA'],
  ])
})

test('leaves out malformed members, keeps the others, and counts', () => {
  for (const bad of ['novalue', '=1', 'k ey=1', 'a="q"', 'a=b c', 'a=b\\c', 'ké=1', 'a=é', 'a\u0000=1']) {
    let entries: unknown
    assert.equal(
      counted('baggage.member', () => {
        entries = read(`ok=1,${bad},also=2`)
      }),
      1,
      bad,
    )
    assert.deepEqual(
      entries,
      [
        ['ok', '1'],
        ['also', '2'],
      ],
      bad,
    )
  }
  assert.equal(parseBaggage(''), undefined)
  assert.equal(parseBaggage('bad'), undefined)
})

test('of members with one key the last counts, and __proto__ is a key like any other', () => {
  assert.deepEqual(read('a=1,a=2'), [['a', '2']])
  assert.deepEqual(read('__proto__=x,constructor=y'), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
})

test('limits on the way in: 180 members, 8192 bytes', () => {
  const header = (n: number) => Array.from({ length: n }, (_, i) => `k${i}=v`).join(',')
  assert.equal(read(header(180)).length, 180)
  assert.equal(
    counted('baggage.limit', () => assert.equal(read(header(181)).length, 180)),
    1,
  )
  assert.equal(read(`a=${'x'.repeat(8190)}`)[0]?.[1]?.length, 8190)
  assert.equal(parseBaggage(`a=${'x'.repeat(8191)}`), undefined)
})

test('limits on the way out: whole members only', () => {
  const bag = (entries: [string, string][]) =>
    propagation.createBaggage(Object.fromEntries(entries.map(([key, value]) => [key, { value }])))
  assert.equal(formatBaggage(bag([['a', 'x'.repeat(8190)]])).length, 8192)
  assert.equal(
    formatBaggage(
      bag([
        ['a', 'x'.repeat(8191)],
        ['b', '1'],
      ]),
    ),
    'b=1',
  )
  assert.equal(
    formatBaggage(bag(Array.from({ length: 200 }, (_, i) => [`k${i}`, 'v']))).split(',').length,
    180,
  )
})

test('what would break the header is encoded or left out', () => {
  const bag = propagation.createBaggage({
    'user id': { value: 'no token' },
    'x\r\nset-cookie': { value: '1' },
    v: { value: 'a,b;c="d\\e" %\r\n\ud800' },
    m: {
      value: '1',
      metadata: baggageEntryMetadataFromString('p=a,b ; q ; bad key ; r = 1\r\nevil: 1;enc=%20'),
    },
  })
  assert.equal(
    formatBaggage(bag),
    'v=a%2Cb%3Bc%3D%22d%5Ce%22%20%25%0D%0A%EF%BF%BD,m=1;p=a%2Cb;q;r=1%0D%0Aevil:%201;enc=%20',
  )
})

test('reads back what it writes, for any value', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/),
        fc.string({ unit: 'grapheme', maxLength: 30 }),
        {
          maxKeys: 20,
        },
      ),
      (entries) => {
        const bag = propagation.createBaggage(
          Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, { value }])),
        )
        const back = Object.fromEntries(read(formatBaggage(bag)) as [string, string][])
        assert.deepEqual(back, { ...entries })
      },
    ),
  )
})

test('any text at all is read without a throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void parseBaggage(text)))
})
