// Runs a program and its receiver, and tells what arrived.
import { fork, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const dist = resolve(process.env.THREADSPAN_DIST ?? join(root, 'dist'))
const program = join(root, 'test/fixtures/deaths/program.cjs')
const preload = join(dist, 'register.cjs')

/** Milliseconds between two looks at what another process does. */
const LOOK = 10
/** Milliseconds after which what has not arrived will not. */
const PATIENCE = 10_000

/** A receiver in a process of its own. */
export async function startReceiver() {
  const child = fork(join(root, 'test/support/otlp-receiver.js'), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const port = await new Promise((said) => child.stdout.once('data', (text) => said(Number(text))))
  const base = `http://127.0.0.1:${port}`
  let runs = 0
  return {
    newRun: () => `${base}/run${runs++}`,
    async take(run) {
      const taken = await (await fetch(run)).json()
      await fetch(run, { method: 'DELETE' })
      return taken
    },
    /** How many spans of the application have arrived. */
    count: async (run) => Number(await (await fetch(`${run}/count`)).text()),
    /** How many of its log records. */
    logs: async (run) => Number(await (await fetch(`${run}/logs`)).text()),
    /** How many spans that ended have none yet. */
    missing: async (run) => Number(await (await fetch(`${run}/missing`)).text()),
    /** How many of a run that was taken have come since. */
    late: async (run) => Number(await (await fetch(`${run}/late`)).text()),
    close: () => child.kill(),
  }
}

/** The environment without what a surrounding run may have put into it. */
function clean() {
  const env = { ...process.env }
  for (const name of Object.keys(env)) {
    if (/^(OTEL_|THREADSPAN_|TRACEPARENT|TRACESTATE|BAGGAGE|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name))
      delete env[name]
  }
  return env
}

/** What is different at each run, whoever is watching. */
const normal = (text) => text.replaceAll(/\(node:\d+\)|pid \d+|0x[0-9a-f]+/g, '#')

/** Node's report of an end without memory, of which nothing but its heading comes twice: collections, addresses, frames, words. */
const FATAL = /\s*<--- Last few GCs --->.*?FATAL ERROR: [^\n]*(JavaScript heap out of memory).*/s
const withoutReport = (text) => text.replace(FATAL, '\n<report: $1>')

/** The first line of a file that the program writes, as a number. */
function noted(folder, file) {
  try {
    const line = /^(-?\d+)\n/.exec(readFileSync(join(folder, file), 'latin1'))?.[1]
    return line === undefined ? undefined : BigInt(line)
  } catch {
    return undefined
  }
}

async function until(condition) {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await sleep(LOOK))
    if (await condition()) return
}

/**
 * @param options An ending, or the same by hand.
 * @param watched The endpoint, variables, and how to know what is exported; undefined runs it without threadspan.
 * @returns code, signal, stdout, stderr, the milliseconds from the program's own word that it ends to its end, and between
 *   which moments it died, in nanoseconds since the epoch.
 */
export async function runProgram(options, watched) {
  const { file = program, args, node = [], run = false, spool = false, timeout = 30_000, binary } = options
  const isTraced = watched !== undefined
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-deaths-'))
  const env = { ...(spool ? { THREADSPAN_SPOOL: join(folder, 'spool') } : {}), ...options.env }
  const start = [...node, file, ...args.map(String)]
  const command = binary ?? process.execPath
  const from = process.hrtime.bigint()
  const child = spawn(command, isTraced ? traced(start, run, node.length > 0 ? command : undefined) : start, {
    env: {
      ...clean(),
      DEATHS_FOLDER: folder,
      ...(isTraced ? { OTEL_EXPORTER_OTLP_ENDPOINT: watched.endpoint, ...watched.env } : {}),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  let ended
  child.on('exit', () => {
    ended = process.hrtime.bigint()
  })
  const end = new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (code, signal) => done({ code, signal }))
  })
  try {
    const killed = await letDie(options, folder, watched)
    const { code, signal } = await end
    if (spool && isTraced)
      await startNext(command, { ...clean(), OTEL_EXPORTER_OTLP_ENDPOINT: watched.endpoint, ...env })
    const mark = killed ?? noted(folder, 'mark')
    const anchor = noted(folder, 'anchor') ?? 0n
    return {
      code,
      signal,
      stdout: normal(stdout),
      stderr: normal(options.isFatal ? withoutReport(stderr) : stderr),
      ms: Number(ended - (mark ?? from)) / 1e6,
      died: [anchor + (noted(folder, 'doomed') ?? mark ?? from), anchor + ended],
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The next program that starts with the same spool. */
async function startNext(command, env) {
  const code = "require('@opentelemetry/api').trace.getTracer('next').startSpan('next').end()"
  const child = spawn(command, ['--require', preload, '--eval', code], { cwd: root, env, stdio: 'ignore' })
  await new Promise((done) => child.on('close', done))
}

/** What stands behind `node` where threadspan is there. @param command Runs the program, where it has options of its own. */
function traced(start, run, command) {
  if (!run) return ['--require', preload, ...start]
  const own = command === undefined ? [] : ['--', command]
  return [join(dist, 'cli/main.js'), 'run', '--quiet', ...own, ...start]
}

/** Lets a program die that waits for us, or kills it. @returns When, if it was killed. */
async function letDie({ isExported, exported, killed, ended }, folder, watched) {
  if (isExported) {
    if (watched !== undefined) await until(async () => (await watched.count()) >= (exported ?? ended))
    writeFileSync(join(folder, 'go'), '')
  }
  if (killed === undefined) return undefined
  await until(() => noted(folder, 'pid') !== undefined)
  const at = process.hrtime.bigint()
  process.kill(Number(noted(folder, 'pid')), killed)
  return at
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

/** What has arrived, once it is all there: a process that outlives the one that was run has a say too. */
export async function settled(receiver, run, wanted, hasLogs = false) {
  let last = -1
  for (let quiet = performance.now(); performance.now() - quiet < 3000; await sleep(LOOK)) {
    const arrived = await receiver.count(run)
    const missing = hasLogs && arrived >= wanted ? await receiver.missing(run) : 0
    if (arrived >= wanted && missing === 0) break
    if (arrived - missing !== last) quiet = performance.now()
    last = arrived - missing
  }
  return receiver.take(run)
}
