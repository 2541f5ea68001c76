import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Answered, Asked } from './source-answers.js'

/** A handler without an answer has taken the response. */
export type Handler = (asked: Asked, response: ServerResponse) => Answered | undefined

/** A server on a free port, and what it was asked. */
export async function serve(t: TestContext, handler: Handler): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('error', () => {})
    request.on('end', () => {
      const url = new URL(request.url!, 'http://source')
      const one = { method: request.method!, url, headers: request.headers, body }
      asked.push(one)
      const answer = handler(one, response)
      if (answer === undefined) return
      const isRaw = typeof answer.body === 'string' || answer.body instanceof Uint8Array
      response.writeHead(answer.status ?? 200, {
        'content-type': answer.type ?? 'application/json; charset=UTF-8',
      })
      response.end(isRaw ? answer.body : JSON.stringify(answer.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}
