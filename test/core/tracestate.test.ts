import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { counters } from '#dist/core/counters.js'
import { EMPTY_TRACESTATE, parseTracestate, truncateTracestate } from '#dist/core/tracestate.js'

const read = (header: string) => parseTracestate(header)?.serialize()
const members = (n: number) => Array.from({ length: n }, (_, i) => `bar${i}=${i}`)

test('reads members in order, with optional white space and empty members', () => {
  assert.equal(read('foo=1,bar=2'), 'foo=1,bar=2')
  assert.equal(read('\t foo=1 \t , \t bar=2,\t \tbaz=3 '), 'foo=1,bar=2,baz=3')
  assert.equal(read(',foo=1,, ,bar=2,'), 'foo=1,bar=2')
  assert.equal(read(''), undefined)
  assert.equal(read(' , '), undefined)
})

test('keeps leading spaces of a value', () => {
  assert.equal(parseTracestate('foo=  1')?.get('foo'), '  1')
})

test('of members with one key the first counts', () => {
  assert.equal(read('foo=1,bar=3,foo=2'), 'foo=1,bar=3')
})

test('takes every character that the grammar has', () => {
  const printable = Array.from({ length: 0x7e - 0x20 + 1 }, (_, i) => String.fromCharCode(0x20 + i))
  const value = printable.filter((c) => c !== ',' && c !== '=').join('')
  for (const key of [
    'abcdefghijklmnopqrstuvwxyz0123456789_-*/',
    '0tenant@a-z0-9_-*/',
    'foo@',
    'foo@@bar',
    'foo@bar@baz',
  ]) {
    assert.equal(parseTracestate(`${key}=${value}`)?.get(key), value, key)
  }
})

test('one illegal member makes the whole header worthless, and is counted', () => {
  const bad = [
    'foo =1',
    'FOO=1',
    'foo.bar=1',
    '@foo=1',
    '_a=1',
    '=1',
    'foo',
    'foo=',
    'foo=bar=baz',
    'foo=\u007f',
    'foo=\u00e9',
    'foo=a\tb',
  ]
  for (const member of bad) {
    const before = counters().get('tracestate.header') ?? 0
    assert.equal(read(`ok=1,${member},bar=2`), undefined, member)
    assert.equal(counters().get('tracestate.header'), before + 1)
  }
})

test('limits: 32 members, 256 characters of key and of value', () => {
  assert.equal(read(members(32).join(',')), members(32).join(','))
  assert.equal(read(members(33).join(',')), undefined)
  assert.ok(read(`${'z'.repeat(256)}=1`))
  assert.equal(read(`${'z'.repeat(257)}=1`), undefined)
  assert.ok(read(`a=${'z'.repeat(256)}`))
  assert.equal(read(`a=${'z'.repeat(257)}`), undefined)
})

test('set puts a member in front and leaves the original alone', () => {
  const original = parseTracestate('a=1,b=2,c=3')!
  assert.equal(original.set('b', '9').serialize(), 'b=9,a=1,c=3')
  assert.equal(original.set('d', '4').serialize(), 'd=4,a=1,b=2,c=3')
  assert.equal(original.unset('b').serialize(), 'a=1,c=3')
  assert.equal(original.unset('nope'), original)
  assert.equal(original.serialize(), 'a=1,b=2,c=3')
  assert.equal(EMPTY_TRACESTATE.set('a', '1').serialize(), 'a=1')
})

test('set drops the right-most member beyond 32, and ignores what is illegal', () => {
  const full = parseTracestate(members(32).join(','))!
  assert.equal(full.set('new', '1').serialize(), ['new=1', ...members(31)].join(','))
  assert.equal(full.set('bar31', 'x').serialize(), ['bar31=x', ...members(31)].join(','))
  for (const [key, value] of [
    ['A', '1'],
    ['a', ''],
    ['a', '1,b=2'],
    ['a', 'x '],
    ['a\n', 'b'],
  ] as const) {
    assert.equal(full.set(key, value), full)
  }
})

test('truncation removes whole members: long ones first, then from the end', () => {
  const long = `long=${'x'.repeat(200)}`
  const longer = `longer=${'y'.repeat(200)}`
  const short = (c: string) => `${c}=${c.repeat(98)}`
  const text = [short('a'), long, short('b'), longer, short('c')].join(',')
  assert.equal(truncateTracestate(text), [short('a'), long, short('b'), short('c')].join(','))
  const many = 'abcdefgh'.split('').map(short)
  assert.equal(truncateTracestate(many.join(',')), many.slice(0, 5).join(','))
  assert.equal(truncateTracestate('a=1'), 'a=1')
})

test('truncation fits the limit and keeps members whole, for any list', () => {
  const member = fc
    .tuple(fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/), fc.stringMatching(/^[!-+--<>-~]{1,256}$/))
    .map(([key, value]) => `${key}=${value}`)
  fc.assert(
    fc.property(fc.array(member, { maxLength: 32 }), fc.integer({ min: 0, max: 1024 }), (list, limit) => {
      const kept = truncateTracestate(list.join(','), limit)
      assert.ok(kept.length <= limit)
      let at = 0
      for (const m of kept === '' ? [] : kept.split(',')) {
        at = list.indexOf(m, at) + 1
        assert.notEqual(at, 0)
      }
    }),
  )
})
