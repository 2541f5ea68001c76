import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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

/** `NODE_OPTIONS` that load the preload after what they load already. Node takes `\` before `"` and `\` in a quoted word. */
export function nodeOptionsWith(preload: string, before: string | undefined): string {
  const option = `--require "${preload.replace(/["\\]/g, '\\$&')}"`
  return before === undefined || before === '' ? option : `${before} ${option}`
}
