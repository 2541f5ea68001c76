import type { WarningCode } from './codes.js'
import { shared } from './shared.js'

type Log = (message: string, ...parameters: unknown[]) => void

const warned = shared('core.warned', () => new Set<string>())

let log: Log | undefined

/**
 * Tells what is patched, carried, dropped and why, on stderr, where `NODE_DEBUG` names `threadspan`.
 *
 * @param message with `util.format` placeholders, which cost nothing where nobody listens.
 */
export function debug(message: string, ...parameters: unknown[]): void {
  log ??= process.getBuiltinModule('node:util').debuglog('threadspan') as Log
  log(message, ...parameters)
}

/**
 * Tells the user of a mistake in the configuration or the surroundings, once for each code in a thread.
 *
 * A Node warning: the application stays in command of it through `--no-warnings`, `--disable-warning` and the `warning` event.
 *
 * @param message one line, without secrets.
 */
export function warnOnce(code: WarningCode, message: string): void {
  if (warned.has(code)) return
  warned.add(code)
  process.emitWarning(message, { type: 'ThreadspanWarning', code })
}
