import type { Variables } from './variables.js'

/** `OTEL_LOG_LEVEL`: the least severe messages that are shown. */
export type LogLevel = 'none' | 'error' | 'warn' | 'info' | 'debug'

const LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const

/** Reads into `variables`, which gathers the warnings. */
export function readLogLevel(variables: Variables): LogLevel {
  const level = variables.word('OTEL_LOG_LEVEL', LEVELS, 'info is used') ?? 'info'
  return level === 'verbose' || level === 'all' ? 'debug' : level
}
