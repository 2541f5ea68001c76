// What a backend gets of one request to `test/fixtures/backends/shop.cjs`, field by field, without what differs from run to run.
import { fork } from 'node:child_process'
import { createServer } from 'node:http'
import { dirname } from 'node:path'

/** Takes OTLP as JSON, which both sides send. */
async function receive() {
  const spans = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    request.on('end', () => {
      response.setHeader('content-type', 'application/json').end('{}')
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans ?? [])
        for (const { scope, spans: group } of scopeSpans)
          for (const span of group) spans.push({ resource, scope, span })
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${server.address().port}`, spans, close }
}

/** Runs the program and makes its request. @returns the spans of that request's trace, and the port that it listened at. */
async function run(program, { execPath, execArgv, env }) {
  const receiver = await receive()
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:OTEL|THREADSPAN|NODE)_/.test(name))
  const child = fork(program, {
    execPath,
    cwd: dirname(program),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...Object.fromEntries(inherited),
      NODE_OPTIONS: execArgv.join(' '),
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      ...env,
    },
  })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const port = await Promise.race([
    new Promise((resolve) => child.once('message', resolve)),
    ended.then((code) => {
      throw new Error(`the program ended with ${code}`)
    }),
  ])
  const answer = await fetch(`http://127.0.0.1:${port}/orders/7?view=full`, {
    headers: { 'user-agent': 'test' },
  })
  await answer.text()
  child.send('end')
  await ended
  receiver.close()
  return { port, spans: receiver.spans }
}

function plain(value) {
  if (value === undefined) return null
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plain)
  if (value.intValue !== undefined) return Number(value.intValue)
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? null
}

/** Attributes whose values are the machine's, or the run's: what kind they are is all that stays. */
const OWN =
  /^(?:host\.|os\.|process\.|service\.(?:instance\.id|version)|telemetry\.(?:sdk|distro)\.version|container\.|network\.peer\.port|client\.port|thread\.|threadspan\.|exception\.stacktrace|user_agent\.original|http\.response\.(?:body|header)|http\.response_content)/
const KEPT = /^(?:os\.type|process\.runtime\.name|thread\.name|threadspan\.closed)$/

/** A value as it may be compared: without ports, which differ from run to run. */
function shown(name, value, port) {
  if (OWN.test(name) && !KEPT.test(name)) return Array.isArray(value) ? '(list)' : `(${typeof value})`
  if (name === 'thread.name') return value.replace(/\d+/, 'N')
  if (value === port) return 'PORT'
  return JSON.stringify(value)
    .replaceAll(`:${port}`, ':PORT')
    .replace(/^"(.*)"$/, '$1')
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
const STATUSES = ['UNSET', 'OK', 'ERROR']

function attributesOf(list, port, prefix) {
  // Whether there is a container is the machine's too.
  const there = (list ?? []).filter(({ key }) => key !== 'container.id')
  return Object.fromEntries(
    there.map(({ key, value }) => [`${prefix}${key}`, shown(key, plain(value), port)]).sort(),
  )
}

/** What tells a span from the others of the request, whoever made it. */
function labelOf({ span }) {
  const attribute = (name) => plain(span.attributes?.find(({ key }) => key === name)?.value)
  const url = attribute('url.full') ?? attribute('url.path')
  const where = url === null ? span.name : (/\/(?:orders|stock|price)\/\w+/.exec(url)?.[0] ?? url)
  return `${KINDS[span.kind ?? 0]} ${where.replace(/\d{4,}/g, 'N')}`
}

/** By label, the fields of each span; "resource" has those of the first one's resource. */
export async function fieldsOf(program, how) {
  const { port, spans } = await run(program, how)
  const root = spans.find((one) => labelOf(one) === 'SERVER /orders/7')
  if (root === undefined) throw new Error('the request has no span')
  const all = spans.filter(({ span }) => span.traceId === root.span.traceId)
  const labels = new Map(all.map((one) => [one.span.spanId, labelOf(one)]))
  const fields = { resource: attributesOf(root.resource.attributes, port, '') }
  for (const one of all) {
    const { span, scope } = one
    const own = {
      name: span.name,
      parent: labels.get(span.parentSpanId) ?? 'none',
      scope: scope.name,
      status: `${STATUSES[span.status?.code ?? 0]}${span.status?.message ? `: ${span.status.message}` : ''}`,
      flags: span.flags ?? 0,
      traceState: span.traceState ?? '',
      ...attributesOf(span.attributes, port, ''),
    }
    for (const event of span.events ?? [])
      Object.assign(
        own,
        { [`event ${event.name}`]: 'yes' },
        attributesOf(event.attributes, port, `event ${event.name} `),
      )
    fields[labelOf(one)] = own
  }
  return Object.fromEntries(Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1)))
}
