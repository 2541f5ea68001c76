// An OTLP/HTTP receiver in a process of its own, for tests in which others die. It shares no code with the package: `node:http`
// and the message definitions that OpenTelemetry generates from its .proto files.
//
//   POST /RUN/v1/traces    takes spans, by run
//   POST /RUN/v1/logs      takes log records
//   GET  /RUN              what has arrived: { bad, spans: [{ id, name, scope, start, end, code, message, closed, parent }], logs: [span id] }
//   GET  /RUN/count        how many spans of the application, whose scope is `app`, are among it
//   GET  /RUN/logs         how many log records are
//   GET  /RUN/missing      how many spans `step` that ended have no log record
//   DELETE /RUN            forgets them
//   GET  /RUN/late         how many spans have come since
//
// Says its port on stdout, and ends with the process that forked it.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'
import { LogsRequest } from './logs-proto.js'

const require = createRequire(import.meta.url)
const root = require(
  require.resolve('@opentelemetry/otlp-definitions').replace(/index\.js$/, 'generated/root.js'),
)
const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest
const runs = new Map()

function runOf(name) {
  let run = runs.get(name)
  if (run === undefined) {
    run = { bad: 0, requests: 0, own: 0, late: 0, spans: [], logs: [], bodies: [], logBodies: [] }
    runs.set(name, run)
  }
  return run
}

/** What has arrived. Decoding takes this program longer than what is measured with it, so it waits until somebody asks. */
function known(run) {
  for (const body of run.bodies.splice(0)) take(run, body)
  for (const body of run.logBodies.splice(0)) takeLogs(run, body)
  return run
}

const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex')
const nanos = (value) => BigInt(String(value ?? 0)).toString()

function take(run, bytes) {
  run.requests++
  let request
  try {
    request = Request.decode(bytes)
  } catch {
    run.bad++
    return
  }
  for (const { scopeSpans, resource } of request.resourceSpans) {
    const pid = resource?.attributes?.find(({ key }) => key === 'process.pid')?.value?.intValue
    for (const { scope, spans } of scopeSpans) {
      for (const span of spans) {
        const closed = span.attributes.find(({ key }) => key === 'threadspan.closed')?.value?.stringValue
        const isWhole =
          span.traceId?.length === 16 && span.spanId?.length === 8 && typeof span.name === 'string'
        if (!isWhole) run.bad++
        if (run.spans === undefined) {
          run.late++
          continue
        }
        if (scope?.name === 'app') run.own++
        run.spans.push({
          id: hex(span.spanId),
          trace: hex(span.traceId),
          parent: hex(span.parentSpanId),
          name: span.name ?? '',
          scope: scope?.name ?? '',
          start: nanos(span.startTimeUnixNano),
          end: nanos(span.endTimeUnixNano),
          code: span.status?.code ?? 0,
          message: span.status?.message ?? '',
          closed: closed ?? null,
          pid: pid === undefined || pid === null ? null : Number(pid),
        })
      }
    }
  }
}

function takeLogs(run, bytes) {
  let request
  try {
    request = LogsRequest.decode(bytes)
  } catch {
    run.bad++
    return
  }
  for (const { scopeLogs } of request.resourceLogs) {
    for (const { logRecords } of scopeLogs) {
      for (const { body, spanId, observedTimeUnixNano } of logRecords) {
        if (body?.stringValue !== 'step' || String(observedTimeUnixNano) === '0') run.bad++
        else if (run.spans === undefined) run.late++
        else run.logs.push(hex(spanId))
      }
    }
  }
}

function missing({ spans, logs }) {
  const told = new Set(logs)
  return spans.filter(({ id, name, closed }) => name === 'step' && closed === null && !told.has(id)).length
}

const server = createServer((request, response) => {
  const [, name, what] = request.url.split('/')
  if (request.method === 'GET') {
    const { bodies: _, logBodies: _bodies, ...run } = known(runOf(name))
    const counts = {
      count: () => run.own,
      late: () => run.late,
      logs: () => run.logs.length,
      missing: () => missing(run),
    }
    response.end(what === undefined ? JSON.stringify(run) : String(counts[what]()))
  } else if (request.method === 'DELETE') {
    known(runOf(name)).spans = undefined
    response.end()
  } else {
    const parts = []
    request.on('data', (part) => parts.push(part))
    // A sender that is killed midway has sent nothing.
    request.on('error', () => {})
    request.on('end', () => {
      const body = Buffer.concat(parts)
      const run = runOf(name)
      const bodies = request.url.endsWith('/v1/logs') ? run.logBodies : run.bodies
      bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  }
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
process.on('disconnect', () => process.exit())
