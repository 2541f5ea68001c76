import { guarded } from '../../hooks/guarded.js'
import type { LogTarget } from '../../logs/target.js'
import { bunyan } from './bunyan.js'
import type { LoggerBridge } from './contract.js'
import { pino } from './pino.js'
import { winston } from './winston.js'

export { followConsole } from './console.js'

/** Loggers. */
export const LOGGERS: readonly LoggerBridge[] = [pino, winston, bunyan]

/** Follows loggers from now on. @param disabled Names to leave out. */
export function followLoggers(target: LogTarget, disabled: readonly string[]): void {
  if (!target.takesRecords && !target.addsFields) return
  for (const { name, enable } of LOGGERS) if (!disabled.includes(name)) guarded(name, () => enable(target))
}
