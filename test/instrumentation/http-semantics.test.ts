import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'

import { errorType } from '#dist/instrumentation/error-type.js'
import {
  methodName,
  setKnownMethods,
  setMethod,
  splitHostPort,
} from '#dist/instrumentation/http-semantics.js'

afterEach(() => setKnownMethods(undefined))

test('host and port, also of addresses, and of what clients make up', () => {
  const cases: [string, string, number | undefined][] = [
    ['example.com', 'example.com', undefined],
    ['example.com:81', 'example.com', 81],
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['[::1]:443', '::1', 443],
    ['[::1]', '::1', undefined],
    ['::1', '::1', undefined],
    ['example.com:', 'example.com', undefined],
    ['example.com:abc', 'example.com', undefined],
    ['example.com:99999', 'example.com', undefined],
    ['[::1', '[::1', undefined],
    ['', '', undefined],
  ]
  for (const [authority, host, port] of cases)
    assert.deepEqual(splitHostPort(authority), { host, port }, authority)
})

test('known methods can be replaced as a whole; they are case-sensitive', () => {
  const attributesOf = (method: string) => {
    const attributes = {}
    setMethod(attributes, method)
    return attributes
  }
  assert.equal(methodName('PATCH'), 'PATCH')
  assert.deepEqual(attributesOf('get'), {
    'http.request.method': '_OTHER',
    'http.request.method_original': 'get',
  })
  setKnownMethods(['PURGE'])
  assert.equal(methodName('PATCH'), 'HTTP')
  assert.deepEqual(attributesOf('PURGE'), { 'http.request.method': 'PURGE' })
  setKnownMethods([])
  assert.equal(methodName('GET'), 'GET')
})

test('an error is told apart by its code, then by its class', () => {
  assert.equal(errorType(Object.assign(new Error('x'), { code: 'ECONNRESET' })), 'ECONNRESET')
  assert.equal(errorType(new TypeError('x')), 'TypeError')
  assert.equal(errorType(Object.assign(new TypeError('x'), { code: 7 })), 'TypeError')
  for (const thrown of ['text', undefined, null, 7, {}]) assert.equal(errorType(thrown), '_OTHER')
})
