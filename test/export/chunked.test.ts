import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { dechunk } from '#dist/export/chunked.js'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'

const text = (bytes: string): [string, boolean] => {
  const { body, isWhole } = dechunk(Buffer.from(bytes, 'latin1'))
  return [Buffer.from(body).toString('latin1'), isWhole]
}

describe('a chunked body', () => {
  it('is its chunks, without their lengths, extensions and trailers', () => {
    assert.deepEqual(text('4\r\nspan\r\n3;name="x"\r\n id\r\n0\r\nexpires: 0\r\n\r\n'), ['span id', true])
    assert.deepEqual(text('A\r\n0123456789\r\n0\r\n\r\n'), ['0123456789', true])
    assert.deepEqual(text('0\r\n\r\n'), ['', true])
    assert.deepEqual(text('5\r\n0\r\n\r\n\r\n0\r\n\r\n'), ['0\r\n\r\n', true])
  })

  it('is what has come, and not all, before its last chunk', () => {
    const whole = '4\r\nspan\r\n3\r\n id\r\n0\r\n\r\n'
    for (let i = 0; i < whole.indexOf('0\r\n\r\n') + 1; i++) {
      const [body, isWhole] = text(whole.slice(0, i))
      assert.ok('span id'.startsWith(body), `${i}: ${body}`)
      assert.equal(isWhole, false, `${i}`)
    }
  })

  it('ends where something else than a chunk comes', () => {
    assert.deepEqual(text('4\r\nspan\r\nnot a length\r\n'), ['span', true])
    assert.deepEqual(text('-1\r\nspan\r\n'), ['', true])
  })

  it('tells of the spans that an endpoint refuses, of a program that ends at once as well', async () => {
    // ExportTraceServiceResponse { partial_success { rejected_spans: 3, error_message: "too old" } }
    const answer = Buffer.concat([Buffer.from([0x0a, 11, 0x08, 3, 0x12, 7]), Buffer.from('too old')])
    const server = createServer(async (request, response) => {
      for await (const _ of request);
      response.writeHead(200, { 'content-type': 'application/x-protobuf' })
      response.write(answer.subarray(0, 5))
      response.end(answer.subarray(5))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    for (let i = 0; i < 3; i++) {
      const { stderr } = await runProgram(fixture('runtime/ends-at-once.cjs'), {
        node: ['--require', PRELOAD],
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
      })
      assert.deepEqual(lossesIn(stderr), { lost: 3, made: 10, causes: { rejected: 3 } }, stderr)
      assert.match(stderr, /refused 3 of 10 spans: too old/)
    }
    server.close()
  })
})
