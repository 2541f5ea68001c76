import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { ThreadspanError } from '../core/errors.js'
import { environmentWithPreload } from './preload.js'

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Signals that are meant for the program when they come to us. Those that a terminal sends, it gets by itself. */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const

/**
 * Runs a script or a command with the preload, on our own standard streams.
 *
 * @param env the environment that the program sees.
 * @throws ThreadspanError `THREADSPAN_CLI_SPAWN` when it could not be started.
 */
export function runProgram(
  program: readonly string[],
  isCommand: boolean,
  preload: string,
  env: NodeJS.ProcessEnv,
): Promise<ProgramEnd> {
  const child = isCommand
    ? spawn(program[0]!, program.slice(1), {
        stdio: 'inherit',
        env: environmentWithPreload(preload, env, program),
        // npm and the like are scripts there, which only the shell can start.
        shell: process.platform === 'win32',
      })
    : spawn(process.execPath, ['--require', preload, ...program], { stdio: 'inherit', env })
  const stop = forwardSignals(child)
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      stop()
      reject(new ThreadspanError('THREADSPAN_CLI_SPAWN', `${program[0]}: ${error.message}`, { cause: error }))
    })
    child.on('exit', (code, signal) => {
      stop()
      resolve({ code, signal })
    })
  })
}

function forwardSignals(child: ChildProcess): () => void {
  const handlers: [NodeJS.Signals, () => void][] = []
  const on = (signal: NodeJS.Signals, handler: () => void) => {
    try {
      process.on(signal, handler)
      handlers.push([signal, handler])
    } catch {
      // A signal that this system does not have.
    }
  }
  for (const signal of FORWARDED) {
    // Node starts its inspector in a process that gets SIGUSR1, which a listener would prevent in this one only.
    on(signal, () => child.kill(signal))
  }
  for (const signal of FROM_TERMINAL) {
    on(signal, () => {
      if (process.stdin.isTTY !== true) child.kill(signal)
    })
  }
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

/**
 * The exit code that says how a program ended, 128 and the signal's number for one that a signal ended, as in shells.
 */
export function exitCodeOf({ code, signal }: ProgramEnd): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}
