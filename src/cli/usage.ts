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

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * A duration from the command line, `50ms`, `1.5s`, `2h` or `7d`, in milliseconds.
 *
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`.
 */
export function duration(option: string, text: string): number {
  const [, number, unit] = /^(\d{1,9}(?:\.\d{1,6})?)(us|ms|s|m|h|d)$/.exec(text) ?? []
  if (number !== undefined && Number(number) > 0) return Number(number) * UNITS[unit!]!
  throw usageError(`${option} must be a duration as 50ms, 1.5s, 30m, 2h or 7d, not "${text}"`)
}

const SIZES: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/**
 * A size from the command line, `500MB` or `10GB`, in bytes.
 *
 * @throws ThreadspanError `THREADSPAN_CLI_USAGE`.
 */
export function byteSize(option: string, text: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,3})?)(KB|MB|GB|TB)$/i.exec(text) ?? []
  if (number !== undefined && Number(number) > 0)
    return Math.round(Number(number) * SIZES[unit!.toUpperCase()]!)
  throw usageError(`${option} must be a size as 500MB or 10GB, not "${text}"`)
}
