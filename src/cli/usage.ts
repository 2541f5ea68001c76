import { type ParseArgsConfig, parseArgs } from 'node:util'
import { ThreadspanError } from '../core/errors.js'

/** An error in how a command was called: exit code 2. */
export function usageError(message: string): ThreadspanError {
  return new ThreadspanError('THREADSPAN_CLI_USAGE', message)
}

/**
 * `parseArgs` of `node:util`, strict.
 *
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE` with what is wrong with the arguments.
 */
export function parseArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs<T>(config)
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

/**
 * A number from the command line.
 *
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`.
 */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= most) return number
  throw usageError(`${option} must be a whole number from ${least} to ${most}, not "${text}"`)
}
