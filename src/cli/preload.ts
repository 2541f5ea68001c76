import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { environmentWith } from '../boundaries/child-environment.js'
import { ThreadspanError } from '../core/errors.js'

/** Absolute path of a file of this package. */
function installed(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url))
}

/** Absolute path of the collector thread's program. */
export function collectorPath(): string {
  return installed('collector.cjs')
}

/**
 * Absolute path of the preload, for `--require`.
 *
 * @throws ThreadspanError `THREADSPAN_CLI_INCOMPLETE` when the installation lacks it.
 */
export function preloadPath(): string {
  const path = installed('register.cjs')
  if (existsSync(path)) return path
  throw new ThreadspanError('THREADSPAN_CLI_INCOMPLETE', `${path} is missing: install threadspan again`)
}

/**
 * An environment in which every Node.js loads the preload by `NODE_OPTIONS`, and then takes it out, and what was added: the program
 * sees what is in `env`.
 *
 * @param added variables for the preload.
 * @param program the command and its arguments: one that asks for Node's permission model cannot have the preload.
 */
export function environmentWithPreload(
  preload: string,
  env: NodeJS.ProcessEnv,
  added: Readonly<Record<string, string>>,
  program: readonly string[],
): NodeJS.ProcessEnv {
  return environmentWith(env, added, program, {
    path: preload,
    relative: new Set(),
    execArgv: [],
    inExecArgv: false,
    inherited: false,
    stale: () => false,
    valueFor: () => preload,
  })
}
