import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import type { Status } from '../../src/viewer/api.js'
import { api, body, hex, post, send, span, viewer } from './support.js'

/** `google.rpc.Status` in protobuf: code in field 1, message in field 2. */
function rpcStatus(bytes: Buffer): { code: number; message: string } {
  assert.equal(bytes[0], 0x08)
  const at = bytes.indexOf(0x12)
  const length = bytes[at + 1]! < 128 ? 1 : 2
  return { code: bytes[1]!, message: bytes.subarray(at + 1 + length).toString() }
}

const jsonBody = (spans: object[]) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
const jsonSpan = (id: number) => ({
  traceId: hex(id, 32),
  spanId: hex(id, 16),
  name: 'j',
  startTimeUnixNano: '1',
  endTimeUnixNano: '2',
})

describe('OTLP over HTTP', () => {
  it('takes protobuf and JSON, plain, gzip and deflate, with parameters in the content type', async (t) => {
    const target = await viewer(t)
    const bytes = (id: number) => body([span(id, id, 0)])
    const answers = [
      await post(target, bytes(1)),
      await post(target, gzipSync(bytes(2)), { 'content-encoding': 'gzip' }),
      await post(target, deflateSync(bytes(3)), { 'content-encoding': 'deflate' }),
      await post(target, Buffer.from(jsonBody([jsonSpan(4)])), {
        'content-type': 'application/json; charset=utf-8',
      }),
      await post(target, gzipSync(jsonBody([jsonSpan(5)])), {
        'content-type': 'Application/JSON',
        'content-encoding': 'GZIP',
      }),
    ]
    for (const answer of answers) assert.equal(answer.status, 200, answer.body.toString())
    assert.equal(answers[0]!.headers['content-type'], 'application/x-protobuf')
    assert.equal(answers[0]!.body.length, 0)
    assert.equal(answers[3]!.headers['content-type'], 'application/json')
    assert.deepEqual(answers[3]!.json(), {})
    assert.equal(target.status().spans, 5)
    assert.deepEqual(target.status().dropped, {})
  })

  it('answers an empty request with success', async (t) => {
    const target = await viewer(t)
    for (const signal of ['traces', 'metrics', 'logs']) {
      assert.equal((await post(target, new Uint8Array(0), {}, signal)).status, 200)
      assert.equal(
        (await post(target, Buffer.from('{}'), { 'content-type': 'application/json' }, signal)).status,
        200,
      )
    }
  })

  it('reports spans it does not keep as partial success, duplicates not', async (t) => {
    const target = await viewer(t)
    const bad = span(1, 2, 0)
    bad.traceId = hex(0, 32)
    const short = span(1, 3, 0)
    short.spanId = 'abcd'
    const bytes = body([
      span(1, 1, 0),
      bad,
      short,
      span(1, 4, 0, { attributes: { long: 'x'.repeat(1024 * 1024) } }),
    ])
    const answer = await post(target, bytes)
    assert.equal(answer.status, 200)
    assert.deepEqual([...answer.body.subarray(0, 1)], [0x0a])
    assert.match(answer.body.toString(), /2 spans have no valid .* id.*1 spans are larger than 1 MiB/)
    const again = await post(target, Buffer.from(jsonBody([jsonSpan(9), { ...jsonSpan(9), traceId: '' }])), {
      'content-type': 'application/json',
    })
    assert.deepEqual(again.json(), {
      partialSuccess: {
        rejectedSpans: '1',
        errorMessage: '1 spans have no valid trace id, span id or parent id',
      },
    })
    assert.equal((await post(target, body([span(1, 1, 0)]))).body.length, 0)
    const { spans, dropped } = await api<Status>(target, 'status')
    assert.equal(spans, 2)
    assert.deepEqual(dropped, { 'invalid-id': 3, 'too-large': 1, duplicate: 1 })
  })

  it('answers bad data with 400 and google.rpc.Status in the encoding of the request, and keeps none of it', async (t) => {
    const target = await viewer(t)
    const whole = body([span(1, 1, 0), span(1, 2, 1)])
    const cut = await post(target, whole.subarray(0, whole.length - 3))
    assert.equal(cut.status, 400)
    assert.equal(cut.headers['content-type'], 'application/x-protobuf')
    const { code, message } = rpcStatus(cut.body)
    assert.equal(code, 3)
    assert.match(message, /THREADSPAN_OTLP_MALFORMED/)
    for (const text of [
      '{',
      '[]',
      '{"resourceSpans":5}',
      jsonBody([{ kind: 'SERVER' }]),
      '['.repeat(100_000),
    ]) {
      const answer = await post(target, Buffer.from(text), { 'content-type': 'application/json' })
      assert.equal(answer.status, 400)
      assert.equal((answer.json() as { code: number }).code, 3)
    }
    const notGzip = await post(target, whole, { 'content-encoding': 'gzip' })
    assert.equal(notGzip.status, 400)
    assert.match(rpcStatus(notGzip.body).message, /THREADSPAN_BODY_COMPRESSION/)
    const cutGzip = await post(target, gzipSync(whole).subarray(0, 40), { 'content-encoding': 'gzip' })
    assert.equal(cutGzip.status, 400)
    assert.equal(target.status().spans, 0)
    assert.equal(target.status().dropped['malformed'], 8)
  })

  it('refuses other methods, content types and encodings', async (t) => {
    const target = await viewer(t)
    const url = `${target.endpoint}/v1/traces`
    const get = await send(url, { headers: { 'content-type': 'application/json' } })
    assert.equal(get.status, 405)
    assert.equal(get.headers['allow'], 'POST')
    assert.equal((await send(url, { headers: { 'content-type': 'text/plain' }, body: '{}' })).status, 415)
    assert.equal((await send(url, { body: '{}' })).status, 415)
    assert.equal((await post(target, new Uint8Array(0), { 'content-encoding': 'br' })).status, 415)
    assert.equal((await send(`${target.endpoint}/v1/profiles`, { body: '{}' })).status, 404)
  })

  it('stops at 64 MiB, before and after decompression, with 413 and little memory', async (t) => {
    const target = await viewer(t)
    // A member of zeros, many times over: gzip allows it, and a small body becomes gigabytes.
    const bomb = Buffer.concat(Array<Buffer>(64).fill(gzipSync(Buffer.alloc(64 * 1024 * 1024))))
    const before = process.memoryUsage().rss
    for (const type of ['application/x-protobuf', 'application/json']) {
      const answer = await post(target, bomb, { 'content-encoding': 'gzip', 'content-type': type })
      assert.equal(answer.status, 413)
      assert.match(answer.body.toString(), /THREADSPAN_BODY_TOO_LARGE/)
    }
    assert.ok(process.memoryUsage().rss - before < 512 * 1024 * 1024)
    const declared = await post(target, new Uint8Array(65 * 1024 * 1024))
    assert.equal(declared.status, 413)
    assert.equal(target.status().dropped['too-large'], 3)
    assert.equal((await post(target, body([span(1, 1, 0)]))).status, 200)
  })

  it('refuses what would become many objects, and takes it a piece at a time where it may', async (t) => {
    const target = await viewer(t)
    const json = { 'content-encoding': 'gzip', 'content-type': 'application/json' }
    const before = process.memoryUsage().rss
    const many = (open: string, element: string, count: number, close: string) =>
      gzipSync(open + Array<string>(count).fill(element).join() + close)
    for (const signal of ['traces', 'metrics', 'logs']) {
      const key = `resource${signal === 'traces' ? 'Spans' : signal === 'metrics' ? 'Metrics' : 'Logs'}`
      const bomb = many(`{"${key}":[`, '{}', 2_000_000, ']}')
      assert.ok(bomb.length < 64 * 1024)
      const answer = await post(target, bomb, json, signal)
      assert.equal(answer.status, 400)
      assert.match(answer.body.toString(), /more than 1000000 objects/)
    }
    const empty = many('{"resourceSpans":[{"scopeSpans":[{"spans":[', '{}', 300_000, ']}]}]}')
    const answer = await post(target, empty, json)
    assert.equal(answer.status, 200)
    assert.match(answer.body.toString(), /"rejectedSpans":"300000"/)
    const groups = gzipSync(Buffer.alloc(8 * 1024 * 1024, '\x0a\x00'))
    assert.equal((await post(target, groups, { 'content-encoding': 'gzip' }, 'logs')).status, 400)
    assert.ok(process.memoryUsage().rss - before < 1024 * 1024 * 1024)
    assert.equal((await post(target, body([span(1, 1, 0)]))).status, 200)
  })

  it('survives a client that goes away in the middle', async (t) => {
    const target = await viewer(t)
    const { port } = new URL(target.endpoint)
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write(
          'POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
        )
        socket.end(() => socket.destroy())
      })
      socket.on('close', () => resolve())
    })
    assert.equal((await post(target, body([span(1, 1, 0)]))).status, 200)
  })

  it('keeps pages of other origins out, and answers without CORS', async (t) => {
    const target = await viewer(t)
    const { port } = new URL(target.endpoint)
    const bytes = body([span(1, 1, 0)])
    for (const headers of [
      { host: 'evil.example' },
      { host: `rebound.example:${port}` },
      { host: 'local host' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://localhost:${port}`, host: `127.0.0.1:${port}` },
      { origin: `http://127.0.0.1:${Number(port) + 1}` },
      { 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[]) {
      const answer = await post(target, bytes, headers)
      assert.equal(answer.status, 403, JSON.stringify(headers))
      assert.equal(rpcStatus(answer.body).code, 7)
      const read = await send(`${target.endpoint}/api/status`, { headers })
      assert.equal(read.status, 403, JSON.stringify(headers))
      assert.match((read.json() as { code: string }).code, /^THREADSPAN_FOREIGN_(HOST|ORIGIN)$/)
      assert.equal(read.headers['access-control-allow-origin'], undefined)
    }
    assert.equal(target.status().spans, 0)
    for (const headers of [
      { host: `localhost:${port}` },
      { host: `app.localhost:${port}` },
      { host: `[::1]:${port}` },
      { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}` },
    ] as Record<string, string>[]) {
      const answer = await send(`${target.endpoint}/api/status`, { headers })
      assert.equal(answer.status, 200, JSON.stringify(headers))
      assert.equal(answer.headers['access-control-allow-origin'], undefined)
    }
    const preflight = await send(`${target.endpoint}/v1/traces`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    assert.equal(preflight.status, 403)
  })

  it('takes data under any name where other machines may send, but from no page, and shows it under the names allowed', async (t) => {
    const target = await viewer(t, { host: '0.0.0.0', allowHosts: ['Traces.Example'] })
    const { port } = new URL(target.endpoint)
    const host = `viewer:${port}`
    assert.equal((await post(target, body([span(1, 1, 0)]), { host })).status, 200)
    for (const [header, value] of [
      ['origin', `http://${host}`],
      ['referer', `http://${host}/`],
      ['sec-fetch-site', 'same-origin'],
    ] as const) {
      assert.equal((await post(target, body([span(2, 1, 0)]), { host, [header]: value })).status, 403)
    }
    assert.equal((await send(`${target.endpoint}/api/status`, { headers: { host } })).status, 403)
    const allowed = await send(`${target.endpoint}/api/status`, { headers: { host: 'traces.example' } })
    assert.equal(allowed.status, 200)
    assert.equal(target.status().spans, 1)
  })
})
