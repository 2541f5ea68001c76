import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { it } from 'node:test'
import type { Status, TraceSummary } from '../../src/viewer/api.js'
import { body, post, span, traceId, viewer } from './support.js'

/** The events of a stream as they come. */
async function* events(response: IncomingMessage): AsyncGenerator<{ name: string; data: unknown }> {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(': ', 2) as [string, string]),
      )
      const data = text
        .slice(0, end)
        .split('\n')
        .find((line) => line.startsWith('data: '))
        ?.slice(6)
      if (data !== undefined) yield { name: fields.get('event') ?? '', data: JSON.parse(data) }
      text = text.slice(end + 2)
    }
  }
}

it('tells listeners of traces and of the status, and ends with the viewer', async (t) => {
  const target = await viewer(t)
  await post(target, body([span(1, 1, 0)]))
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${target.endpoint}/api/live`, resolve).on('error', reject)
  })
  assert.equal(response.headers['content-type'], 'text/event-stream')
  const stream = events(response)
  const first = (await stream.next()).value as { name: string; data: Status }
  assert.deepEqual([first.name, first.data.spans], ['status', 1])
  await post(target, body([span(2, 1, 0, { name: 'GET /new' }), span(2, 2, 1)]))
  const second = (await stream.next()).value as { name: string; data: TraceSummary }
  assert.deepEqual(
    [second.name, second.data.traceId, second.data.name, second.data.spans],
    ['trace', traceId(2), 'GET /new', 2],
  )
  const third = (await stream.next()).value as { name: string; data: Status }
  assert.deepEqual([third.name, third.data.spans], ['status', 3])
  // A late span of an old trace is news of that trace.
  await post(target, body([span(1, 2, 1)]))
  const fourth = (await stream.next()).value as { name: string; data: TraceSummary }
  assert.deepEqual([fourth.name, fourth.data.traceId, fourth.data.spans], ['trace', traceId(1), 2])
  await target.close()
  let last = await stream.next()
  while (last.done !== true) last = await stream.next()
  assert.equal(response.complete, true)
})
