import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ThreadspanError } from '../../core/errors.js'

/** A program of the demo that is listening. */
export interface Program {
  readonly url: string
  /** Asks it to end, and waits until it has. @returns Its exit code; null if it had to be killed, or another signal ended it. */
  stop(): Promise<number | null>
}

/** Milliseconds that a program may take to begin or to end, on a machine that is busy with other things. */
const PATIENCE = 60_000

/** Node says of its SQLite that it is an experiment. */
const QUIET = '--disable-warning=ExperimentalWarning'

/**
 * Starts a program of the demo's application with the preload, and with nothing else done to it.
 *
 * @param script name of a file in `app/`.
 * @throws ThreadspanError `THREADSPAN_DEMO_START` when it does not begin to listen.
 */
export async function startProgram(
  script: string,
  preload: string,
  env: NodeJS.ProcessEnv,
): Promise<Program> {
  const path = fileURLToPath(new URL(`./app/${script}`, import.meta.url))
  const child = spawn(process.execPath, [QUIET, '--require', preload, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  try {
    const url = await listening(child, script)
    return { url, stop: () => stop(child, exited) }
  } finally {
    clearTimeout(timer)
  }
}

function listening(child: ChildProcess, script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (why: string) => {
      reject(new ThreadspanError('THREADSPAN_DEMO_START', `${script} of the demo did not start: ${why}`))
    }
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
      const url = /listening on (\S+)\n/.exec(output)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.on('error', (error) => failed(error.message))
    child.on('exit', (code, signal) => failed(`it ended with ${signal ?? code}`))
  })
}

async function stop(child: ChildProcess, exited: Promise<[number | null]>): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  child.kill('SIGTERM')
  const [code] = await exited
  clearTimeout(timer)
  return code
}
