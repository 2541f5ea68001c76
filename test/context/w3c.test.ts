import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, test } from 'node:test'
import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT } from '@opentelemetry/api'

import { createPropagator } from '#dist/context/propagators.js'

// The cases of w3c/trace-context's own test/test.py (levels 1 and 2, strict) that depend on how headers arrive, over a real connection.

const PARENT = '12345678901234567890123456789012-1234567890123456'
const VALID = `00-${PARENT}-00`

let server: Server
before(async () => {
  const propagator = createPropagator(['tracecontext'])
  server = createServer((request, response) => {
    const out: Record<string, string> = {}
    propagator.inject(
      propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter),
      out,
      defaultTextMapSetter,
    )
    response.setHeader('connection', 'close')
    response.end(JSON.stringify(out))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => server.close())

/** What goes on to the next service when these header lines came in, written to the socket as they are. */
async function forwarded(...lines: string[]): Promise<{ traceparent?: string; tracestate?: string }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(['GET / HTTP/1.1', 'host: test', ...lines, '', ''].join('\r\n'))
  let text = ''
  for await (const chunk of socket) text += chunk
  return JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
}

test('traceparent: any casing of the name, white space around the value', async () => {
  for (const name of ['traceparent', 'TraceParent', 'TrAcEpArEnT', 'TRACEPARENT']) {
    assert.deepEqual(await forwarded(`${name}: ${VALID}`), { traceparent: VALID })
  }
  for (const value of [` ${VALID}`, `\t${VALID}`, `${VALID} `, `${VALID}\t`, `\t ${VALID} \t`]) {
    assert.deepEqual(await forwarded(`traceparent:${value}`), { traceparent: VALID })
  }
})

test('traceparent: another name, or sent twice, is none', async () => {
  assert.deepEqual(await forwarded(`trace-parent: ${VALID}`), {})
  assert.deepEqual(await forwarded(`trace.parent: ${VALID}`), {})
  assert.deepEqual(await forwarded(`traceparent: ${VALID}`, `traceparent: ${VALID.replace('2-', '1-')}`), {})
  assert.deepEqual(await forwarded(`traceparent: ${VALID}`, `traceparent: ${VALID}`), {})
})

test('traceparent: a future version goes on as version 00; the random flag stays', async () => {
  assert.equal(
    (await forwarded(`traceparent: cc-${PARENT}-01-what-the-future-will-be-like`)).traceparent,
    `00-${PARENT}-01`,
  )
  assert.deepEqual(await forwarded(`traceparent: cc-${PARENT}-01.what-the-future-will-be-like`), {})
  assert.equal((await forwarded(`traceparent: 00-${PARENT}-02`)).traceparent, `00-${PARENT}-02`)
})

test('tracestate: several headers are one list, in their order; empty ones do no harm', async () => {
  const state = async (...lines: string[]) =>
    (await forwarded(`traceparent: ${VALID}`, ...lines.map((line) => `tracestate:${line}`))).tracestate
  assert.equal(await state('foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'), 'foo=1,bar=2,rojo=1,congo=2,baz=3')
  assert.equal(await state(''), undefined)
  assert.equal(await state('foo=1', ''), 'foo=1')
  assert.equal(await state('', 'foo=1'), 'foo=1')
  assert.equal(await state(' foo=1', '\tbar=2 \t'), 'foo=1,bar=2')
  assert.equal(await state('foo=1', 'foo=2'), 'foo=1')
  const members = Array.from({ length: 33 }, (_, i) => `bar${i}=${i}`)
  assert.equal(
    await state(members.slice(0, 20).join(), members.slice(20, 32).join()),
    members.slice(0, 32).join(),
  )
  assert.equal(await state(members.slice(0, 20).join(), members.slice(20).join()), undefined)
  assert.equal(await state('foo=1', `${'z'.repeat(257)}=1`), undefined)
})

test('tracestate: any casing of the name; another name, or no traceparent, is none', async () => {
  for (const name of ['tracestate', 'TraceState', 'TRACESTATE']) {
    assert.equal((await forwarded(`traceparent: ${VALID}`, `${name}: foo=1`)).tracestate, 'foo=1')
  }
  assert.equal((await forwarded(`traceparent: ${VALID}`, 'trace-state: foo=1')).tracestate, undefined)
  assert.deepEqual(await forwarded('tracestate: foo=1'), {})
  assert.deepEqual(await forwarded('traceparent: broken', 'tracestate: foo=1'), {})
})
