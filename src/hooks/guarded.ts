import { debug } from '../core/log.js'

/**
 * Calls into what is behind a boundary. An error from there is ours, never the application's: it is told where
 * `NODE_DEBUG=threadspan` asks, and goes no further.
 *
 * @returns what `call` returns; undefined where it threw.
 */
export function guarded<T>(what: string, call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    debug('%s failed: %o', what, error)
    return undefined
  }
}
