import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dist } from '../support/dist.js'

type Errors = typeof import('../../src/core/errors.js')
const { ERROR_MESSAGES, ThreadspanError, isThreadspanError } = (await import(
  dist('core/errors.js')
)) as Errors

test('every code of the table makes an error that tells it', () => {
  for (const [code, message] of Object.entries(ERROR_MESSAGES)) {
    const error = new ThreadspanError(code as keyof typeof ERROR_MESSAGES)
    assert.match(code, /^THREADSPAN_[A-Z_]+$/)
    assert.equal(error.code, code)
    assert.equal(error.message, message)
    assert.equal(error.name, 'ThreadspanError')
    assert.ok(error instanceof Error)
    assert.ok(isThreadspanError(error))
  }
})

test('a message and a cause of its own', () => {
  const cause = new Error('behind')
  const error = new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'Not this', { cause })
  assert.equal(error.message, 'Not this')
  assert.equal(error.cause, cause)
  assert.match(String(error.stack), /^ThreadspanError: Not this/)
})

test('knows the errors of another copy of the package, and no others', async () => {
  const other = (await import(`${dist('core/errors.js')}?copy`)) as Errors
  assert.notEqual(other.ThreadspanError, ThreadspanError)
  assert.ok(isThreadspanError(new other.ThreadspanError('THREADSPAN_VALUE_LIMIT')))
  for (const value of [new Error('x'), null, undefined, 'THREADSPAN_X', { code: 'THREADSPAN_X' }]) {
    assert.equal(isThreadspanError(value), false)
  }
})
