// Runs a program and its receiver, and tells what arrived.
import { fork, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const dist = resolve(process.env.THREADSPAN_DIST ?? join(root, 'dist'))
const program = join(root, 'test/fixtures/deaths/program.cjs')
const preload = join(dist, 'register.cjs')

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
    peek: async (run) => (await fetch(run)).json(),
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

/** The first moment of dying that the program, or a child or Worker of it, has noted; nanoseconds of the machine's clock. */
function firstMark(file) {
  try {
    return BigInt(readFileSync(file, 'latin1').split('\n', 1)[0])
  } catch {
    return undefined
  }
}

/**
 * @param endpoint undefined runs it without threadspan.
 * @returns code, signal, stdout, stderr, and the milliseconds from the program's own word that it ends to its end.
 */
export function runProgram(
  { file = program, args, node = [], run = false, env = {}, timeout = 20_000 },
  endpoint,
) {
  const traced = endpoint !== undefined
  const command = run && traced ? [join(dist, 'cli/main.js'), 'run', '--quiet'] : []
  const options = traced && !run ? ['--require', preload] : []
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-deaths-'))
  const mark = join(folder, 'mark')
  const from = process.hrtime.bigint()
  const child = spawn(process.execPath, [...options, ...command, ...node, file, ...args.map(String)], {
    env: {
      ...clean(),
      DEATHS_MARK: mark,
      ...(traced ? { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } : {}),
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
  const end = new Promise((done, failed) => {
    child.on('error', failed)
    let ended
    child.on('exit', () => {
      ended = process.hrtime.bigint()
    })
    child.on('close', (code, signal) => {
      const ms = Number(ended - (firstMark(mark) ?? from)) / 1e6
      rmSync(folder, { recursive: true, force: true })
      done({ code, signal, stdout: normal(stdout), stderr: normal(stderr), ms })
    })
  })
  return Object.assign(end, { child })
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

/** Waits until nothing has arrived for a while: a process that outlives the one that was run has a say too. */
export async function settled(receiver, run, wanted) {
  let last = -1
  for (let quiet = 0; quiet < 30; quiet++) {
    const { spans } = await receiver.peek(run)
    const arrived = spans.filter(({ scope }) => scope === 'app').length
    if (arrived >= wanted) break
    if (arrived !== last) quiet = 0
    last = arrived
    await sleep(100)
  }
  return receiver.take(run)
}

/** What the application's spans came to. */
export function summary({ bad, spans }) {
  const own = spans.filter(({ scope }) => scope === 'app')
  const closed = own.filter((span) => span.closed !== null)
  return {
    bad,
    arrived: own.length,
    duplicates: own.length - new Set(own.map(({ id }) => id)).size,
    closed: closed.length,
    reasons: [...new Set(closed.map((span) => span.closed))],
    wrong: closed.filter(({ code, start, end }) => code !== 2 || BigInt(end) < BigInt(start)).length,
  }
}
