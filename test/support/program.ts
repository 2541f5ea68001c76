/** Runs programs as users do: in a process of their own, with the preload or without. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

/** The built preload. Tests run from the root. */
export const PRELOAD = resolve(process.env['THREADSPAN_DIST'] ?? 'dist', 'register.cjs')

/** The path of a file below `test/fixtures`. */
export function fixture(name: string): string {
  return resolve('test', 'fixtures', name)
}

export interface ProgramResult {
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
}

export interface ProgramOptions {
  args?: readonly string[]
  /** Options of node, before the program's file. */
  node?: readonly string[]
  /** Added to the environment; undefined takes a variable out. */
  env?: Record<string, string | undefined>
  cwd?: string
  /** Milliseconds after which it is killed. */
  timeout?: number
}

/** The environment without what a surrounding run may have put into it. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of Object.keys(env)) {
    if (/^(OTEL_|THREADSPAN_(?!DIST)|TRACEPARENT|TRACESTATE|BAGGAGE|NODE_TEST_CONTEXT)/.test(name))
      delete env[name]
  }
  return env
}

export function runProgram(file: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  const { args = [], node = [], env = {}, cwd, timeout = 60_000 } = options
  const child = spawn(process.execPath, [...node, file, ...args], {
    env: { ...cleanEnvironment(), ...env },
    timeout,
    killSignal: 'SIGKILL',
    ...(cwd === undefined ? {} : { cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }))
  })
}
