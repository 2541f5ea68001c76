import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { childDeath } from '../core/death.js'
import { ThreadspanError } from '../core/errors.js'
import type { DescendantWatch } from '../runtime/descendant-watch.js'
import { environmentWithPreload } from './preload.js'
import { SignalWitness } from './signal-witness.js'

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Milliseconds that a program which is to end has for it. */
const PATIENCE = 5000

/**
 * Signals that are the program's when they come to us. Node starts its inspector in a process that gets SIGUSR1, which a listener would
 * prevent in this one only.
 */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT'] as const
/** Those of them that a terminal sends to all that run in it. */
const FROM_TERMINAL: ReadonlySet<string> = new Set(['SIGHUP', 'SIGINT', 'SIGQUIT'])

/**
 * Runs a script or a command with the preload, on our own standard streams. It hands its spans on to us: what it has written
 * by then arrives however it ends.
 *
 * @param env the environment that the program sees.
 * @param stop ends the program when it is aborted: by SIGTERM, and a while later by SIGKILL.
 * @throws ThreadspanError `THREADSPAN_CLI_SPAWN` when it could not be started.
 */
export function runProgram(
  program: readonly string[],
  isCommand: boolean,
  preload: string,
  env: NodeJS.ProcessEnv,
  watch: Pick<DescendantWatch, 'env' | 'ended'>,
  stop?: AbortSignal,
): Promise<ProgramEnd> {
  const options = { stdio: 'inherit', env: environmentWithPreload(preload, env, watch.env, program) } as const
  let started: ChildProcess | undefined
  // Before there is a program: a signal may come as soon as that says that it is ready.
  const stopForwarding = forwardSignals((signal) => started?.kill(signal))
  const child = isCommand
    ? // npm and the like are scripts on Windows, which only the shell can start.
      spawn(program[0]!, program.slice(1), { ...options, shell: process.platform === 'win32' })
    : spawn(process.execPath, program, options)
  started = child
  let patience: NodeJS.Timeout | undefined
  const end = () => {
    child.kill()
    patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  }
  stop?.addEventListener('abort', end, { once: true })
  const settle = () => {
    stopForwarding()
    stop?.removeEventListener('abort', end)
    clearTimeout(patience)
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      settle()
      reject(new ThreadspanError('THREADSPAN_CLI_SPAWN', `${program[0]}: ${error.message}`, { cause: error }))
    })
    child.on('exit', (code, signal) => {
      settle()
      watch.ended(child.pid!, childDeath({ exitCode: code, signal, error: undefined }))
      resolve({ code, signal })
    })
  })
}

/** Passes on what was sent to us alone; what was sent to the process group, the program got by itself. */
function forwardSignals(send: (signal: NodeJS.Signals) => void): () => void {
  const witness = new SignalWitness()
  const handlers: [NodeJS.Signals, () => void][] = []
  const pass = async (signal: NodeJS.Signals): Promise<void> => {
    const wasForAll = (await witness.wasForAll()) ?? (process.stdin.isTTY && FROM_TERMINAL.has(signal))
    if (!wasForAll) send(signal)
  }
  for (const signal of PASSED_ON) {
    const handler = () => void pass(signal)
    try {
      process.on(signal, handler)
      handlers.push([signal, handler])
    } catch {
      // A signal that this system does not have.
    }
  }
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
    witness.close()
  }
}

/**
 * The exit code that says how a program ended, 128 and the signal's number for one that a signal ended, as in shells.
 */
export function exitCodeOf({ code, signal }: ProgramEnd): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}
