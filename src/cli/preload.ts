import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { environmentWith } from '../boundaries/child-environment.js'
import { ThreadspanError } from '../core/errors.js'

/**
 * Absolute path of the preload, for `--require`.
 *
 * @throws ThreadspanError `THREADSPAN_CLI_INCOMPLETE` when the installation lacks it.
 */
export function preloadPath(): string {
  const path = fileURLToPath(new URL('../register.cjs', import.meta.url))
  if (existsSync(path)) return path
  throw new ThreadspanError('THREADSPAN_CLI_INCOMPLETE', `${path} is missing: install threadspan again`)
}

/**
 * An environment in which every Node.js loads the preload by `NODE_OPTIONS`, and then takes it out: the program sees what is in `env`.
 *
 * @param program the command and its arguments: one that asks for Node's permission model cannot have the preload.
 */
export function environmentWithPreload(
  preload: string,
  env: NodeJS.ProcessEnv,
  program: readonly string[],
): NodeJS.ProcessEnv {
  return environmentWith(env, {}, program, {
    path: preload,
    relative: new Set(),
    execArgv: [],
    inExecArgv: false,
    inherited: false,
    stale: () => false,
    valueFor: () => preload,
  })
}
