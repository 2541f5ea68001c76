// The faults of `faults.js` as they are over gRPC, and those that only gRPC has.
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { connect, createServer } from 'node:net'
import { grpcReceiver, retryInfo, spanIds, status } from '../support/otlp-grpc.js'

const listen = (server, port = 0) =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server.address().port)))

/** @param answer Gets the ids of a request's spans and the request's number; gives a response, and `accept` those that it takes. */
async function grpc(answer = ({ ids, accept }) => accept(ids), options = {}) {
  const accepted = []
  const accept = (ids) => {
    accepted.push(...ids)
  }
  const start = (address) =>
    grpcReceiver((_signal, request, _call, index) => answer({ ids: spanIds(request), accept, index }), {
      options,
      address,
    })
  let receiver = await start()
  return {
    url: receiver.url,
    port: receiver.port,
    accepted: () => accepted,
    bad: () => [],
    stop: () => receiver.close(),
    async again() {
      receiver = await start(`127.0.0.1:${receiver.port}`)
    },
    async close() {
      receiver.close()
    },
  }
}

const fail = (code, metadata) => {
  throw { code, details: 'no', metadata }
}

/** Says no to the first requests. */
const firstly = (count, code, seconds) => () =>
  grpc(({ ids, accept, index }) => {
    if (index < count) fail(code, seconds === undefined ? undefined : retryInfo(seconds))
    accept(ids)
  })

const always = (code, seconds) => firstly(Number.POSITIVE_INFINITY, code, seconds)

/** A server that does something else with the first `count` connections than to speak gRPC. */
async function interrupting(count, interrupt) {
  const inner = await grpc()
  let index = 0
  const outer = createServer((socket) => {
    socket.on('error', () => {})
    if (index++ < count) return interrupt(socket)
    const onward = connect(inner.port, '127.0.0.1')
    onward.on('error', () => socket.destroy())
    socket.on('close', () => onward.destroy())
    socket.pipe(onward).pipe(socket)
  })
  const port = await listen(outer)
  const close = async () => {
    outer.close()
    await inner.close()
  }
  return { ...inner, url: `http://127.0.0.1:${port}`, close }
}

async function nobody() {
  const { url, close } = await grpc()
  await close()
  return { url, accepted: () => [], bad: () => [], close: async () => {} }
}

async function away(outage) {
  const there = await grpc()
  const timers = [setTimeout(() => there.stop(), 1000), setTimeout(() => there.again(), 1000 + 1000 * outage)]
  const close = async () => {
    timers.forEach(clearTimeout)
    await there.close()
  }
  return { ...there, close }
}

/** A server of HTTP/2 that leaves with each second call, which it has not looked at, as servers behind balancers do. */
async function leaving() {
  const inner = await grpc()
  const sessions = new Set()
  let index = 0
  const outer = createHttp2Server()
  outer.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
  })
  outer.on('sessionError', () => {})
  outer.on('stream', async (stream, headers) => {
    stream.on('error', () => {})
    if (index++ % 2 === 1) {
      stream.session.goaway(0, Math.max(stream.id - 2, 0))
      stream.close(7)
      return
    }
    const { connect } = await import('node:http2')
    const onward = connect(inner.url)
    const { ':path': path, ':method': method, 'content-type': type, te } = headers
    const request = onward.request({ ':path': path, ':method': method, 'content-type': type, te })
    request.on('response', (fields) => stream.respond(fields, { waitForTrailers: true }))
    request.on('trailers', (fields) => {
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': fields['grpc-status'] }))
    })
    request.on('close', () => onward.close())
    stream.pipe(request).pipe(stream)
  })
  const port = await listen(outer)
  const close = async () => {
    for (const session of sessions) session.destroy()
    outer.close()
    await inner.close()
  }
  return { ...inner, url: `http://127.0.0.1:${port}`, close }
}

async function oldHttp() {
  const server = createHttpServer((_request, response) => response.end())
  const port = await listen(server)
  const close = async () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, accepted: () => [], bad: () => [], close }
}

const elsewhere = (url) => async () => ({ url, accepted: () => [], bad: () => [], close: async () => {} })

const LIMIT = 20_000
const REFUSED = 3

const all = (cause) => (made) => ({ [cause]: made })
const none = () => ({})

export const grpcFaults = [
  { name: 'none', serve: () => grpc(), lost: none },
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
  {
    name: 'RESOURCE_EXHAUSTED with RetryInfo, then takes',
    serve: firstly(2, status.RESOURCE_EXHAUSTED, 1),
    lost: none,
  },
  { name: 'UNAVAILABLE with RetryInfo, then takes', serve: firstly(2, status.UNAVAILABLE, 1), lost: none },
  {
    name: 'RESOURCE_EXHAUSTED, in an hour',
    serve: always(status.RESOURCE_EXHAUSTED, 3600),
    lost: all('throttled'),
  },
  { name: 'RESOURCE_EXHAUSTED', serve: always(status.RESOURCE_EXHAUSTED), lost: all('rejected') },
  { name: 'UNAVAILABLE, for ever', serve: always(status.UNAVAILABLE), lost: all('throttled') },
  { name: 'INVALID_ARGUMENT', serve: always(status.INVALID_ARGUMENT), lost: all('rejected') },
  {
    name: `too large above ${LIMIT} bytes`,
    serve: () => grpc(undefined, { 'grpc.max_receive_message_length': LIMIT }),
    lost: none,
  },
  {
    name: 'partial success, once',
    serve: () =>
      grpc(({ ids, accept, index }) => {
        accept(index > 0 ? ids : ids.slice(REFUSED))
        return index > 0 ? {} : { partialSuccess: { rejectedSpans: REFUSED, errorMessage: 'too old' } }
      }),
    lost: () => ({ rejected: REFUSED }),
  },
  {
    name: 'resets in the middle of a call, twice',
    serve: () => interrupting(2, (socket) => socket.once('data', () => socket.resetAndDestroy())),
    lost: none,
  },
  {
    name: 'answers after half a second',
    serve: () =>
      grpc(async ({ ids, accept }) => {
        await new Promise((resolve) => setTimeout(resolve, 500))
        accept(ids)
      }),
    lost: none,
  },
  { name: 'leaves with each second call', serve: leaving, lost: none },
  {
    name: 'speaks no TLS',
    serve: async () => {
      const plain = await grpc()
      return { ...plain, url: plain.url.replace('http:', 'https:') }
    },
    lost: all('endpoint'),
  },
  { name: 'speaks HTTP/1.1 alone', serve: oldHttp, lost: all('endpoint') },
  {
    name: 'has a name that does not resolve',
    serve: elsewhere('http://nowhere.invalid:4317'),
    lost: all('endpoint'),
  },
]
