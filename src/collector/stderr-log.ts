import { writeSync } from 'node:fs'
import type { LogLevel } from '../config/log-level.js'
import type { ExportLog } from '../export/exporter.js'

const LEVELS: readonly string[] = ['none', 'error', 'warn', 'info', 'debug'] satisfies LogLevel[]

/**
 * Lines on stderr, no less severe than `level`, which may change. Straight to the file: at the process's end nobody pumps a worker's streams any more.
 */
export function stderrLog(level: LogLevel | (() => LogLevel)): ExportLog {
  return (severity, code, message) => {
    if (LEVELS.indexOf(severity) > LEVELS.indexOf(typeof level === 'string' ? level : level())) return
    try {
      writeSync(2, `threadspan: ${message} (${code})\n`)
    } catch {
      // A closed stderr is the application's own decision.
    }
  }
}
