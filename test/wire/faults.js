// Endpoints with a fault each, on real sockets, and what must come of it.
//
//   serve(outage)  starts it; gives its URL, `accepted()`, the ids of the spans that it took, and `close()`
//   seconds        how long spans are made, given the outage in seconds
//   lost           how many of `made` spans are dropped, by cause
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createServer as createTcpServer } from 'node:net'
import { gunzipSync } from 'node:zlib'

import { grpcFaults } from './grpc-faults.js'

const require = createRequire(import.meta.url)
const root = require(
  require.resolve('@opentelemetry/otlp-definitions').replace(/index\.js$/, 'generated/root.js'),
)
const { ExportTraceServiceRequest: Request, ExportTraceServiceResponse: Response } =
  root.opentelemetry.proto.collector.trace.v1

function idsIn(body, type) {
  if (type === 'application/json')
    return JSON.parse(body).resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map(({ spanId }) => spanId)),
    )
  return Request.decode(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(({ spanId }) => Buffer.from(spanId).toString('hex'))),
  )
}

const listen = (server, port = 0) =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server.address().port)))

/** @param answer Gets the ids of a request's spans, `reply(status, headers, body)` and the request's number; gives those it takes. */
async function http(answer) {
  const accepted = []
  const bad = []
  let requests = 0
  const server = createServer((request, response) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('error', () => {})
    request.on('end', async () => {
      const raw = Buffer.concat(parts)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      let ids
      try {
        ids = idsIn(body, request.headers['content-type'])
      } catch (error) {
        bad.push(error.message)
        response.writeHead(400).end()
        return
      }
      const reply = (status, headers, content) => response.writeHead(status, headers).end(content)
      accepted.push(...(await answer({ ids, reply, index: requests++, size: body.length })))
    })
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    accepted: () => accepted,
    bad: () => bad,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A server that does something else with the first `count` connections than to be an HTTP server. */
async function interrupting(count, interrupt) {
  const inner = await http(take)
  let index = 0
  const outer = createTcpServer((socket) => {
    socket.on('error', () => {})
    if (index++ < count) interrupt(socket)
    else inner.server.emit('connection', socket)
  })
  const port = await listen(outer)
  return {
    ...inner,
    url: `http://127.0.0.1:${port}`,
    async close() {
      outer.close()
      await inner.close()
    },
  }
}

function take({ ids, reply }) {
  reply(200)
  return ids
}

/** Says no to the first requests. */
const firstly = (count, status, headers) => () =>
  http((one) => {
    if (one.index >= count) return take(one)
    one.reply(status, headers)
    return []
  })

const always = (status, headers) => firstly(Number.POSITIVE_INFINITY, status, headers)

/** Nothing listens. */
async function nobody() {
  const { url, close } = await http(take)
  await close()
  return { url, accepted: () => [], bad: () => [], close: async () => {} }
}

const elsewhere = (url) => async () => ({ url, accepted: () => [], bad: () => [], close: async () => {} })

async function away(outage) {
  const there = await http(take)
  const timers = [
    setTimeout(() => there.close(), 1000),
    setTimeout(() => listen(there.server, there.port), 1000 + 1000 * outage),
  ]
  const close = async () => {
    timers.forEach(clearTimeout)
    await there.close()
  }
  return { ...there, close }
}

const LIMIT = 20_000
const REFUSED = 3

const all = (cause) => (made) => ({ [cause]: made })
const none = () => ({})

const httpFaults = [
  { name: 'none', serve: () => http(take), lost: none },
  { name: 'nothing listens', serve: nobody, lost: all('endpoint') },
  { name: 'away for a while', serve: away, seconds: (outage) => outage + 4, lost: none },
  {
    name: 'closes every connection',
    serve: () => interrupting(Number.POSITIVE_INFINITY, (socket) => socket.destroy()),
    lost: all('endpoint'),
  },
  {
    name: 'never answers',
    serve: () => interrupting(Number.POSITIVE_INFINITY, (socket) => socket.resume()),
    lost: all('timeout'),
  },
  { name: '429 with Retry-After, then takes', serve: firstly(2, 429, { 'retry-after': '1' }), lost: none },
  { name: '503 with Retry-After, then takes', serve: firstly(2, 503, { 'retry-after': '1' }), lost: none },
  { name: '429, in an hour', serve: always(429, { 'retry-after': '3600' }), lost: all('throttled') },
  { name: '503, for ever', serve: always(503), lost: all('throttled') },
  { name: '400', serve: always(400), lost: all('rejected') },
  {
    name: `413 above ${LIMIT} bytes`,
    serve: () =>
      http((one) => {
        if (one.size <= LIMIT) return take(one)
        one.reply(413)
        return []
      }),
    lost: none,
  },
  {
    name: 'partial success, once',
    serve: () =>
      http(({ ids, reply, index }) => {
        if (index > 0) return take({ ids, reply })
        const partialSuccess = { rejectedSpans: REFUSED, errorMessage: 'too old' }
        reply(200, { 'content-type': 'application/x-protobuf' }, Response.encode({ partialSuccess }).finish())
        return ids.slice(REFUSED)
      }),
    lost: () => ({ rejected: REFUSED }),
  },
  {
    name: 'resets in the middle of a body, twice',
    serve: () => interrupting(2, (socket) => socket.once('data', () => socket.resetAndDestroy())),
    lost: none,
  },
  {
    name: 'answers after half a second',
    serve: () =>
      http(async (one) => {
        await new Promise((resolve) => setTimeout(resolve, 500))
        return take(one)
      }),
    lost: none,
  },
  {
    name: 'speaks no TLS',
    serve: async () => {
      const plain = await http(take)
      return { ...plain, url: plain.url.replace('http:', 'https:') }
    },
    lost: all('endpoint'),
  },
  {
    name: 'has a name that does not resolve',
    serve: elsewhere('http://nowhere.invalid:4318'),
    lost: all('endpoint'),
  },
]

/** Of those over HTTP, the ones in which the body and the answer to it play a part. */
const jsonFaults = httpFaults.filter(({ name }) => /^(?:none|413|partial|resets)/.test(name))

/** Each with the protocol that is spoken. */
export const faults = [
  ...httpFaults.map((fault) => ({ ...fault, protocol: 'http/protobuf' })),
  ...jsonFaults.map((fault) => ({ ...fault, name: `${fault.name} (JSON)`, protocol: 'http/json' })),
  ...grpcFaults.map((fault) => ({ ...fault, name: `${fault.name} (gRPC)`, protocol: 'grpc' })),
]
