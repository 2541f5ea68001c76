import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatTraceparent, parseTraceparent } from '#dist/core/traceparent.js'

const traceId = '12345678901234567890123456789012'
const spanId = '1234567890123456'
const PARENT = `${traceId}-${spanId}`

test('reads the four fields of version 00', () => {
  assert.deepEqual(parseTraceparent(`00-${PARENT}-01`), { traceId, spanId, traceFlags: 1 })
  assert.deepEqual(parseTraceparent(`\t 00-${PARENT}-02 \t`), { traceId, spanId, traceFlags: 2 })
})

test('keeps of the flags what Level 2 defines', () => {
  assert.equal(parseTraceparent(`00-${PARENT}-ff`)?.traceFlags, 3)
  assert.equal(parseTraceparent(`00-${PARENT}-10`)?.traceFlags, 0)
})

test('reads the known fields of a future version', () => {
  for (const header of [
    `cc-${PARENT}-01`,
    `cc-${PARENT}-01-what-the-future-will-be-like`,
    `fe-${PARENT}-01-\n`,
  ]) {
    assert.deepEqual(parseTraceparent(header), { traceId, spanId, traceFlags: 1 }, header)
  }
})

test('takes nothing else', () => {
  const bad = [
    '',
    'hello',
    `ff-${PARENT}-01`,
    `00-${PARENT}-01.`,
    `00-${PARENT}-01-what-the-future-will-be-like`,
    `00-${PARENT}-01-`,
    `cc-${PARENT}-01.what-the-future-will-be-like`,
    `cc-${PARENT}-010`,
    `.0-${PARENT}-01`,
    `0-${PARENT}-01`,
    `000-${PARENT}-01`,
    `0A-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.replace('1', 'A')}-${spanId}-01`,
    `00-${traceId}3-${spanId}-01`,
    `00-${traceId}-${spanId.slice(1)}-01`,
    `00-${PARENT}-1`,
    `00-${PARENT}-001`,
    `00-${PARENT}-.0`,
    `00-${PARENT}-0A`,
    `00-${PARENT}-01, 00-${PARENT}-01`,
    `00-${PARENT}-01\n`,
  ]
  for (const header of bad) assert.equal(parseTraceparent(header), undefined, JSON.stringify(header))
})

test('writes flags as two digits, masked', () => {
  const flags = (traceFlags: number) => formatTraceparent({ traceId, spanId, traceFlags })?.slice(-3)
  assert.deepEqual([0, 1, 2, 3, 0x10, 0xff, 0x101].map(flags), [
    '-00',
    '-01',
    '-02',
    '-03',
    '-00',
    '-03',
    '-01',
  ])
})

test('writes what it reads', () => {
  assert.equal(formatTraceparent(parseTraceparent(`00-${PARENT}-03`)!), `00-${PARENT}-03`)
})

test('writes no header for invalid ids, and lower case for upper case', () => {
  assert.equal(formatTraceparent({ traceId: '0'.repeat(32), spanId, traceFlags: 1 }), undefined)
  assert.equal(formatTraceparent({ traceId, spanId: '0'.repeat(16), traceFlags: 1 }), undefined)
  assert.equal(formatTraceparent({ traceId: 'x', spanId, traceFlags: 1 }), undefined)
  assert.equal(
    formatTraceparent({ traceId: 'A'.repeat(32), spanId, traceFlags: 1 }),
    `00-${'a'.repeat(32)}-${spanId}-01`,
  )
})
