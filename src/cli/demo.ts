import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redactUrl } from '../config/otlp.js'
import { ThreadspanError } from '../core/errors.js'
import { terminalStyle, writeOut } from '../terminal/terminal.js'
import { renderWaterfall } from '../terminal/waterfall.js'
import type { Viewer } from '../viewer/server.js'
import { hasSqlite } from './demo/app/sqlite.js'
import { fanoutTraces, findProblems, SERVICE, UPSTREAM } from './demo/check.js'
import { type Sent, sendRequests } from './demo/load.js'
import { requirePackages } from './demo/packages.js'
import { type Program, startProgram } from './demo/programs.js'
import { renderRoutes, routeStats } from './demo/routes.js'
import { interrupted } from './interrupt.js'
import { preloadPath } from './preload.js'
import { readSpans } from './spans-file.js'
import { parseArguments, wholeNumber } from './usage.js'

const USAGE = `Usage: threadspan demo [options]

Starts a small service (Fastify, a Piscina pool, SQLite, a child process, calls to another service) with the preload and nothing else
done to it, sends requests to every route, and shows what is seen of them. Ends with 1 if anything is missing. All that it needs comes along, but
for SQLite, which Node.js has from 22.13 on.

With OTEL_EXPORTER_OTLP_ENDPOINT in the environment spans, metrics and log records go there too. In a terminal, the viewer then stays with the demo's traces
until Ctrl-C.

  --rounds N   how often every route is visited (default 10)
  --no-view    end without the viewer
  -h, --help   print this
`

/**
 * `threadspan demo`: runs the demo and prints the waterfall of `/fanout` and figures for each route.
 *
 * @param argv what stands after `demo`.
 * @returns 0, or 1 when something expected did not arrive.
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`, `THREADSPAN_CLI_INCOMPLETE`, and `THREADSPAN_DEMO_*` when it could not be run.
 */
export async function demo(argv: string[]): Promise<number> {
  const { values } = parseArguments({
    args: argv,
    options: {
      help: { type: 'boolean', short: 'h' },
      rounds: { type: 'string', default: '10' },
      view: { type: 'boolean', default: true },
    },
    strict: true,
    allowNegative: true,
    allowPositionals: false,
  })
  if (values.help === true) {
    writeOut(1, USAGE)
    return 0
  }
  const rounds = wholeNumber('--rounds', values.rounds, 1, 1000)
  requirePackages()
  const preload = preloadPath()
  // A folder of our own: a known name in a folder that all may write to could be anybody's link.
  const folder = await mkdtemp(join(tmpdir(), 'threadspan-demo-'))
  const file = join(folder, 'threadspan-demo.jsonl')
  print('threadspan demo: starting two services and sending requests ...\n')
  const stays = values.view === true && process.stdout.isTTY === true && !process.env['CI']
  const viewer = stays ? await (await import('../viewer/server.js')).startViewer({ port: 0 }) : undefined
  try {
    const sent = await runServices(folder, file, preload, rounds, viewer?.endpoint)
    const code = await report(file, sent, stays)
    if (viewer !== undefined) await show(viewer, file)
    return code
  } finally {
    await viewer?.close()
  }
}

/** Leaves the demo's traces in the viewer until the user has seen enough. */
async function show(viewer: Viewer, file: string): Promise<void> {
  await viewer.load(file)
  print(` See it: ${viewer.url}      (Ctrl-C ends it)`)
  await interrupted()
}

async function runServices(
  folder: string,
  file: string,
  preload: string,
  rounds: number,
  viewer: string | undefined,
): Promise<Sent> {
  const database = join(folder, 'orders.db')
  const upstreamFile = join(folder, 'upstream.jsonl')
  const endpoint = endpointIn(process.env)
  const env = (service: string, path: string): NodeJS.ProcessEnv => ({
    OTEL_SERVICE_NAME: service,
    // Each process has a file of its own: long lines of two would end up in one another.
    THREADSPAN_FILE: path,
    OTEL_TRACES_EXPORTER: endpoint === undefined ? 'file' : 'otlp,file',
    OTEL_LOGS_EXPORTER: endpoint === undefined ? 'file' : 'otlp,file',
    OTEL_TRACES_SAMPLER: 'parentbased_always_on',
    OTEL_SDK_DISABLED: 'false',
    ...metricsTo(viewer),
  })
  const running: Program[] = []
  try {
    const upstream = await startProgram('upstream.js', preload, env(UPSTREAM, upstreamFile))
    running.push(upstream)
    const service = await startProgram('service.js', preload, {
      ...env(SERVICE, file),
      UPSTREAM: upstream.url,
      DATABASE: database,
    })
    running.unshift(service)
    const sent = await sendRequests(service.url, rounds, hasSqlite)
    for (let program = running.shift(); program !== undefined; program = running.shift()) {
      const code = await program.stop()
      if (code !== 0)
        throw new ThreadspanError('THREADSPAN_DEMO_END', `A program of the demo ended with ${code}, not 0`)
    }
    await appendFile(file, await readFile(upstreamFile).catch(() => ''))
    return sent
  } finally {
    await Promise.all(running.map((program) => program.stop()))
    await Promise.all([rm(database, { force: true }), rm(upstreamFile, { force: true })])
  }
}

/** Where metrics go, which no file takes: where the environment says, else to the viewer. */
function metricsTo(viewer: string | undefined): NodeJS.ProcessEnv {
  const given = process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (given === undefined && viewer === undefined) return {}
  return {
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    ...(given === undefined && { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${viewer}/v1/metrics` }),
  }
}

function endpointIn(env: NodeJS.ProcessEnv): string | undefined {
  return env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined
}

async function report(file: string, sent: Sent, stays: boolean): Promise<number> {
  const spans = await readSpans(file)
  const traceId = fanoutTraces(spans).at(-1)
  const style = terminalStyle(1, process.env, process.stdout.columns)
  if (traceId !== undefined) print(renderWaterfall(spans, { ...style, traceId }))
  print(renderRoutes(routeStats(spans, SERVICE)))
  const problems = findProblems(spans, sent)
  const traces = new Set(spans.map(({ span }) => span.traceId)).size
  print(` ${spans.length} spans in ${traces} traces: ${file}`)
  if (!hasSqlite) print(' None of them has SQL: this Node.js has no SQLite, that from 22.13 on has')
  if (endpointIn(process.env) !== undefined)
    print(` They are also sent to ${redactUrl(endpointIn(process.env)!)}`)
  if (problems.length !== 0) {
    print(`\n Not all is as it should be:`)
    for (const problem of problems.slice(0, 20)) print(`  - ${problem}`)
    if (problems.length > 20) print(`  - ... and ${problems.length - 20} more`)
    return 1
  }
  print(` Every request, task, call and child process arrived, each under its parent.

 Next:${stays ? '' : `\n   threadspan view ${file}     look at all of it in the browser`}
   threadspan run app.js       the same for a program of yours\n`)
  return 0
}

function print(text: string): void {
  // A reader that has seen enough (`| head`) is no error.
  writeOut(1, `${text}\n`)
}
