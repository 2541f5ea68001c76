import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { lossesIn } from '../support/losses.js'
import { fixture, PRELOAD, runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

describe('the end of a process whose clock was replaced', { timeout: 60_000 }, () => {
  const silent = createServer()
  let receiver: Receiver
  before(async () => {
    receiver = await Receiver.start()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    silent.close()
    await receiver.close()
  })

  const run = (how: string, endpoint: string, limit: string) =>
    runProgram(fixture('hostile/fake-clock.cjs'), {
      node: ['--no-warnings', '--require', PRELOAD],
      args: [how],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, THREADSPAN_EXIT_TIMEOUT: limit },
      timeout: 15_000,
    })

  for (const how of ['past', 'frozen', 'future', 'mocked']) {
    it(`delivers all: ${how}`, async () => {
      receiver.spans.length = 0
      const { code, stderr } = await run(how, receiver.endpoint, '10000')
      assert.deepEqual([code, lossesIn(stderr)], [0, undefined], stderr)
      assert.equal(receiver.spans.length, 10)
    })

    it(`waits no longer than it may for an endpoint that does not answer, and tells what is lost: ${how}`, async () => {
      const { port } = silent.address() as AddressInfo
      const { code, signal, stderr } = await run(how, `http://127.0.0.1:${port}`, '300')
      assert.deepEqual([code, signal], [0, null])
      assert.equal(lossesIn(stderr)?.lost, 10, stderr)
    })
  }
})
