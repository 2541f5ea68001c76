import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { compile } from '../decorators/compile.js'
import { runProgram } from '../support/program.js'
import { Receiver } from '../support/receiver.js'

let receiver: Receiver
before(async () => {
  receiver = await Receiver.start()
})
after(() => receiver.close())

it('with --enable-source-maps, stacks tell of the sources', async () => {
  const program = await compile('failing', 'failing', ['--sourceMap'])
  const { code, stderr } = await runProgram(program, {
    node: ['--enable-source-maps'],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
  })
  assert.deepEqual([code, stderr], [0, ''])
  const [event] = receiver.named('Orders.save')[0]!.events
  assert.match(String(event!.attributes['exception.stacktrace']), /at Orders\.save \(.*failing\.ts:12:11\)/)
  assert.equal(event!.attributes['threadspan.error.culprit'], 'decorators/failing.ts:12')
})
