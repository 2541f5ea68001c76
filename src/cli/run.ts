import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isThreadspanError } from '../core/errors.js'
import { TRANSACTION } from '../core/variables.js'
import { configuredCommand } from '../runtime/configured.js'
import { DescendantWatch } from '../runtime/descendant-watch.js'
import { terminalStyle } from '../terminal/terminal.js'
import { renderWaterfall } from '../terminal/waterfall.js'
import { interrupted } from './interrupt.js'
import { collectorPath, preloadPath } from './preload.js'
import { parseRun, RUN_USAGE, type RunArguments } from './run-arguments.js'
import { exitCodeOf, type ProgramEnd, runProgram } from './run-program.js'
import { readSpans } from './spans-file.js'
import { startViewerThread } from './viewer-thread.js'

/**
 * `threadspan run`: runs a program with everything in it traced. The program has our standard streams; what we print ourselves goes to
 * standard error.
 *
 * @param argv what stands after `run`.
 * @returns the exit code of the program. Where a signal ended it, the same signal ends this process.
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`, `THREADSPAN_CLI_SPAWN`, `THREADSPAN_CLI_INCOMPLETE`.
 */
export async function run(argv: string[]): Promise<number> {
  const wanted = parseRun(argv)
  if (wanted.help) {
    process.stdout.write(RUN_USAGE)
    return 0
  }
  const preload = preloadPath()
  const viewer = wanted.view ? await startViewerThread(tell) : undefined
  const { env: configured, notices } = configuredCommand(process.env)
  for (const { message, code } of notices) tell(`threadspan: ${message} (${code})`)
  const { env, exporters } = environment(wanted, configured, viewer?.endpoint)
  const folder = exporters.length === 0 ? await mkdtemp(join(tmpdir(), 'threadspan-run-')) : undefined
  const privateFile = folder === undefined ? undefined : join(folder, 'spans.jsonl')
  if (privateFile !== undefined) {
    env['THREADSPAN_FILE'] = privateFile
    exporters.push('file')
  }
  env['OTEL_TRACES_EXPORTER'] = exporters.join(',')
  if (viewer !== undefined && !wanted.quiet) tell(`threadspan: viewer at ${viewer.url}`)
  const watch = new DescendantWatch(collectorPath(), env)
  // What a configuration file has come to reaches the program another way, and is none of its variables.
  const own = withChanges(process.env, configured, env)
  let end: ProgramEnd
  try {
    try {
      end = await runProgram(wanted.program, wanted.isCommand, preload, own, watch)
    } finally {
      await watch.finish()
    }
    if (privateFile !== undefined && !wanted.quiet) await draw(privateFile)
    if (viewer !== undefined && process.stderr.isTTY && !wanted.quiet) {
      tell(`threadspan: the program has ended; the viewer stays at ${viewer.url} until Ctrl-C`)
      await interrupted()
    }
  } catch (error) {
    if (!isThreadspanError(error) || error.code !== 'THREADSPAN_CLI_SPAWN') throw error
    tell(`threadspan: ${error.message} (${error.code})`)
    return (error.cause as NodeJS.ErrnoException).code === 'ENOENT' ? 127 : 126
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    await viewer?.close()
  }
  if (end.signal !== null) process.kill(process.pid, end.signal)
  return exitCodeOf(end)
}

/** The program's environment, and where its spans go by it. */
function environment(wanted: RunArguments, base: NodeJS.ProcessEnv, viewerEndpoint: string | undefined) {
  const env: NodeJS.ProcessEnv = { ...base }
  const set = (name: string) => (env[name] ?? '').trim() !== ''
  const exporters: string[] = []
  if (set('OTEL_TRACES_EXPORTER')) exporters.push(env['OTEL_TRACES_EXPORTER']!)
  else if (set('OTEL_EXPORTER_OTLP_ENDPOINT') || set('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'))
    exporters.push('otlp')
  if (wanted.service !== undefined) env['OTEL_SERVICE_NAME'] = wanted.service
  if (wanted.transaction !== undefined) env[TRANSACTION] = wanted.transaction
  if (wanted.file !== undefined) {
    env['THREADSPAN_FILE'] = resolve(wanted.file)
    exporters.push('file')
  }
  if (viewerEndpoint !== undefined) {
    // The signal's own variable is the stronger one and would send the spans elsewhere.
    delete env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
    env['OTEL_EXPORTER_OTLP_ENDPOINT'] = viewerEndpoint
    if (!exporters.includes('otlp')) exporters.push('otlp')
  }
  return { env, exporters }
}

/** An environment with what was changed from one to another. */
function withChanges(
  base: NodeJS.ProcessEnv,
  from: NodeJS.ProcessEnv,
  to: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const env = { ...base }
  for (const name of Object.keys({ ...from, ...to })) {
    if (to[name] === from[name]) continue
    if (to[name] === undefined) delete env[name]
    else env[name] = to[name]
  }
  return env
}

async function draw(file: string): Promise<void> {
  const spans = await readSpans(file)
  const drawn = renderWaterfall(spans, terminalStyle(2, process.env, process.stderr.columns))
  const traces = new Set(spans.map(({ span }) => span.traceId)).size
  tell(drawn === '' ? 'threadspan: no spans were made' : `\n${drawn}`)
  if (traces > 1) {
    tell(
      `threadspan: ${traces} traces, ${spans.length} spans; above is the one that has most to show. See all: --view, or --file FILE`,
    )
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}
