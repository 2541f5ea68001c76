import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dist } from '../support/dist.js'

type Errors = typeof import('../../src/core/errors.js')
const { ThreadspanError, isThreadspanError } = (await import(dist('core/errors.js'))) as Errors

test('code, message, cause and name', () => {
  const cause = new Error('behind')
  const error = new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'Not this', { cause })
  assert.ok(error instanceof Error)
  assert.ok(isThreadspanError(error))
  assert.equal(error.code, 'THREADSPAN_INVALID_ARGUMENT')
  assert.equal(error.name, 'ThreadspanError')
  assert.equal(error.message, 'Not this')
  assert.equal(error.cause, cause)
  assert.match(String(error.stack), /^ThreadspanError: Not this/)
})

test('knows the errors of another copy of the package, and no others', async () => {
  const other = (await import(`${dist('core/errors.js')}?copy`)) as Errors
  assert.notEqual(other.ThreadspanError, ThreadspanError)
  assert.ok(isThreadspanError(new other.ThreadspanError('THREADSPAN_VALUE_LIMIT', 'No more')))
  for (const value of [new Error('x'), null, undefined, 'THREADSPAN_X', { code: 'THREADSPAN_X' }]) {
    assert.equal(isThreadspanError(value), false)
  }
})
