import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { typeNameOf } from '#dist/exceptions/error-class.js'
import { describeException } from '#dist/exceptions/exception.js'
import { culpritOf, fingerprintOf, parseFrames } from '#dist/exceptions/stack.js'

describe('describeException', () => {
  it('tells class, code, own fields without secrets, causes', () => {
    class PaymentError extends Error {
      code = 'E_DECLINED'
      amount = 12
      currency = 'EUR'
      table = 'orders'
      sql = "insert into cards values ('4242')"
      pin = 1234
      retry = false
      apiKey = 'sk-1'
      sessionId = 's'
      request = { body: 'private' }
    }
    const error = new PaymentError('declined', { cause: new TypeError('root', { cause: 'text' }) })
    const told = describeException(error)
    assert.equal(told['exception.type'], 'PaymentError')
    assert.equal(told['exception.message'], 'declined')
    assert.equal(told['threadspan.error.code'], 'E_DECLINED')
    // Texts are the application's to tell, but for those of system errors and their like.
    assert.deepEqual(JSON.parse(told['threadspan.error.fields']!), {
      amount: 12,
      retry: false,
      table: 'orders',
    })
    assert.match(
      told['exception.stacktrace']!,
      /^Error: declined\n {4}at [\s\S]*\nCaused by: TypeError: root\n[\s\S]*\nCaused by: text$/,
    )
    assert.match(told['threadspan.error.culprit']!, /describe\.test\.js:\d+$/)
  })

  it('tells no credentials that stand in messages, stacks and causes', () => {
    for (const [text, told] of [
      [
        'connect postgres://app:S3CRET@db.example:5432/shop failed',
        'connect postgres://REDACTED:REDACTED@db.example:5432/shop failed',
      ],
      [
        'Server=db;User Id=sa;Password=S3CRET;Encrypt=true',
        'Server=db;User Id=sa;Password=REDACTED;Encrypt=true',
      ],
      ['401 for Authorization: Bearer S3CRETS3CRET', '401 for Authorization: Bearer REDACTED'],
      ['{"api_key":"S3CRET"}', '{"api_key":"REDACTED"}'],
      ['AccountKey=S3CRET==;x', 'AccountKey=REDACTED;x'],
      ['mongodb+srv://u:S3@CRET@cluster/x', 'mongodb+srv://REDACTED:REDACTED@cluster/x'],
      ['nothing to hide at https://example.com/a@b', 'nothing to hide at https://example.com/a@b'],
    ] as const) {
      const described = describeException(new Error(text, { cause: new Error(text) }))
      assert.equal(described['exception.message'], told)
      assert.doesNotMatch(described['exception.stacktrace']!, /S3/)
    }
  })

  it('tells the errors of an AggregateError, and ends where causes go round', () => {
    const one = new Error('one')
    one.cause = new AggregateError([one, new RangeError('two')], 'both', { cause: one })
    const { 'exception.stacktrace': stack } = describeException(one)
    assert.equal(stack!.match(/Caused by: AggregateError: both/g)?.length, 1)
    assert.equal(stack!.match(/Error 2 of 2: RangeError: two/g)?.length, 1)
    assert.equal(stack!.match(/^Error: one$/gm)?.length, 1)
  })

  it('tells what is no error, errors of other realms, DOMExceptions', () => {
    assert.equal(describeException('text')['exception.message'], 'text')
    assert.deepEqual([undefined, null, 1, {}, () => 0].map(typeNameOf), [
      'undefined',
      'null',
      'number',
      'object',
      'function',
    ])
    const foreign: unknown = runInNewContext('new RangeError("there")')
    assert.deepEqual(
      [typeNameOf(foreign), describeException(foreign)['exception.message']],
      ['RangeError', 'there'],
    )
    assert.equal(typeNameOf(AbortSignal.abort().reason), 'AbortError')
  })

  it('is bounded and never throws', () => {
    const huge = Object.assign(
      new Error('x'.repeat(1e6)),
      Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`f${i}`, 'y'.repeat(999)])),
    )
    const size = Object.values(describeException(huge)).reduce((sum, { length }) => sum + length, 0)
    assert.ok(size < 32_768, String(size))
    const hostile = new Proxy(new Error('x'), {
      get() {
        throw new Error('no')
      },
    })
    describeException(hostile)
    describeException({ toString: null })
    describeException(Object.create(null))
    fc.assert(
      fc.property(fc.anything(), (value) => typeof describeException(value)['exception.type'] === 'string'),
    )
    fc.assert(
      fc.property(fc.string(), fc.anything(), fc.anything(), (stack, cause, code) => {
        describeException(Object.assign(new Error('x'), { stack, cause, code }))
      }),
    )
  })
})

describe('stacks', () => {
  const stack = [
    'RangeError: no (this is no frame:1:1)',
    '    at ok (/app/node_modules/lib/index.js:1:2)',
    '    at async Orders.load (file:///app/src/orders.js:12:34)',
    '    at /app/src/main.js:5:6',
    '    at new Thing (C:\\app\\thing.js:7:8)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
    '    at <anonymous>',
  ].join('\n')

  it('are read as V8 writes them', () => {
    assert.deepEqual(
      parseFrames(stack).map(({ fn, file, line, isLibrary }) => [fn, file, line, isLibrary]),
      [
        ['ok', '/app/node_modules/lib/index.js', 1, true],
        ['Orders.load', '/app/src/orders.js', 12, false],
        ['', '/app/src/main.js', 5, false],
        ['Thing', 'C:\\app\\thing.js', 7, false],
        ['process.processTicksAndRejections', 'node:internal/process/task_queues', 95, true],
      ],
    )
    assert.equal(culpritOf(parseFrames(stack)), 'src/orders.js:12')
  })

  it('a long line costs no more than its length', () => {
    for (const line of [
      `    at ${' '.repeat(1e6)}`,
      `    at ${'('.repeat(1e5)}:1:1`,
      `    at a (/${'a:1'.repeat(300)}`,
    ])
      parseFrames(line)
  })

  it('group errors by type, code and own functions, not by lines or numbers', () => {
    const frames = parseFrames(stack)
    const moved = parseFrames(stack.replaceAll(/:\d+:\d+\)/g, ':99:9)'))
    const one = fingerprintOf('A', '', 'x', frames)
    assert.match(one, /^[0-9a-f]{16}$/)
    assert.equal(fingerprintOf('A', '', 'y', moved), one)
    assert.notEqual(fingerprintOf('B', '', 'x', frames), one)
    assert.notEqual(fingerprintOf('A', 'C', 'x', frames), one)
    assert.equal(fingerprintOf('A', '', 'user 17 gone', []), fingerprintOf('A', '', 'user 18 gone', []))
    assert.notEqual(fingerprintOf('A', '', 'user 17 gone', []), fingerprintOf('A', '', 'order 17 gone', []))
  })
})
