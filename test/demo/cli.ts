import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { dist } from '../support/dist.js'

/** How a command ended. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** The path of the command's program. */
export const main = fileURLToPath(dist('cli/main.js'))

/** The environment without what would send spans elsewhere. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(OTEL_|THREADSPAN_(?!DIST)|NODE_|TRACE|FORCE_COLOR)/.test(name),
    ),
  )
}

/** Starts `threadspan` as a user would. */
export function threadspan(argv: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
  const child: ChildProcess = spawn(process.execPath, [main, ...argv], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...plainEnvironment(), ...options.env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, ended }
}

/** The path of a program in `test/fixtures/demo`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/demo/${name}`, import.meta.url))
}
