import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { carrierFromEnv, carrierToEnv } from '#dist/context/carrier.js'
import { Snapshot } from '#dist/context/snapshot.js'
import { counters } from '#dist/core/counters.js'
import { dist } from '../support/dist.js'

const carrier = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'rojo=1',
  baggage: 'user=Am%C3%A9lie',
  transaction: { id: '00f067aa0ba902b7', name: 'GET /ü\u0000\n' },
  values: { tenant: 'blau ☂\u0000', list: [1, { two: null }] },
}

test('the environment has the names that children in other languages read', () => {
  const env = carrierToEnv(carrier)
  assert.equal(env['TRACEPARENT'], carrier.traceparent)
  assert.equal(env['TRACESTATE'], carrier.tracestate)
  assert.equal(env['BAGGAGE'], carrier.baggage)
  for (const name of Object.keys(env)) assert.match(name, /^[A-Z_][A-Z0-9_]*$/)
  assert.deepEqual(carrierFromEnv(env), carrier)
  assert.deepEqual(carrierToEnv({}), {})
  assert.equal(carrierFromEnv({ PATH: '/bin', TRACEPARENT: '' }), undefined)
})

test('a child process finds what its parent put there', () => {
  const script = `
    import { carrierFromEnv } from ${JSON.stringify(dist('context/carrier.js'))}
    console.log(JSON.stringify(carrierFromEnv(process.env)))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...carrierToEnv(carrier) },
    encoding: 'utf8',
  })
  assert.deepEqual(JSON.parse(stdout), carrier, stderr)
})

test('a shell continues the trace', { skip: process.platform === 'win32' }, async () => {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'printf %s "$TRACEPARENT"'], {
    env: carrierToEnv(carrier),
  })
  assert.equal(stdout, carrier.traceparent)
})

test('a worker thread finds what its parent sent', async () => {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(${JSON.stringify(dist('context/snapshot.js'))}).then(({ Snapshot, capture }) => {
      Snapshot.from(workerData, { remote: false }).run(async () => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        parentPort.postMessage(capture().toCarrier({ clone: true }))
      })
    })`
  const worker = new Worker(script, {
    eval: true,
    workerData: Snapshot.from(carrier).toCarrier({ clone: true }),
  })
  const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await worker.terminate()
  assert.deepEqual(answer, carrier)
})

test('values that do not fit into 8192 characters are left out and counted; the others go', () => {
  const before = counters().get('value.environment') ?? 0
  const env = carrierToEnv({ values: { a: 1, big: 'x'.repeat(8192), b: 2 } })
  assert.equal(env['THREADSPAN_VALUES'], '{"a":1,"b":2}')
  assert.equal(counters().get('value.environment'), before + 1)
  const exact = carrierToEnv({ values: { a: 'x'.repeat(8184) } })['THREADSPAN_VALUES']!
  assert.equal(exact.length, 8192)
  assert.ok(carrierFromEnv({ THREADSPAN_VALUES: exact }))
  assert.equal(carrierFromEnv({ THREADSPAN_VALUES: `${exact} ` }), undefined)
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  assert.deepEqual(carrierToEnv({ values: { cyclic, n: 1n, f: () => 1 } }), {})
})

test('a long tracestate is shortened by whole members', () => {
  const tracestate = Array.from({ length: 20 }, (_, i) => `k${i}=${'v'.repeat(40)}`).join(',')
  const kept = carrierToEnv({ tracestate })['TRACESTATE']!
  assert.ok(kept.length <= 512 && tracestate.startsWith(`${kept},`))
})

test('anything in the variables is taken without a throw, and a snapshot made of it', () => {
  const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom('null', '[]', '{', '7'))
  fc.assert(
    fc.property(text, text, text, (TRACEPARENT, THREADSPAN_TRANSACTION, THREADSPAN_VALUES) => {
      Snapshot.from(carrierFromEnv({ TRACEPARENT, THREADSPAN_TRANSACTION, THREADSPAN_VALUES }))
    }),
  )
})
