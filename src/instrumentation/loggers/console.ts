import { format, types } from 'node:util'
import { count } from '../../core/counters.js'
import type { Disable } from '../../hooks/channels.js'
import { replaceMethod } from '../../hooks/replace-method.js'
import { severityOfName } from '../../logs/severity.js'
import type { LoggerScope, LogTarget } from '../../logs/target.js'

/** Of `console`: what writes a line. */
const METHODS = ['debug', 'error', 'info', 'log', 'warn'] as const

const SCOPE: LoggerScope = { name: 'console' }

/**
 * What goes through the global `console` makes log records. Nothing is added to its output, which has no fields.
 *
 * @returns ends it.
 */
export function followConsole(target: LogTarget): Disable {
  let isWithin = false
  const hand = (method: string, args: readonly unknown[]): void => {
    // What describes an error may itself write to the console.
    if (isWithin || !target.takesRecords) return
    isWithin = true
    try {
      const error = args.find((argument) => types.isNativeError(argument))
      const record = {
        severity: severityOfName(method),
        level: method,
        body: format(...args),
        attributes: {},
        error,
      }
      target.record(SCOPE, record, target.active())
    } catch {
      // What describes itself has thrown; the console will say so, if it is the same there.
      count('log.record')
    } finally {
      isWithin = false
    }
  }
  let isOn = true
  for (const method of METHODS) {
    replaceMethod<(...args: unknown[]) => void>(console, method, (original) => {
      return function (this: unknown, ...args: unknown[]) {
        if (isOn) hand(method, args)
        original.apply(this, args)
      }
    })
  }
  return () => {
    isOn = false
  }
}
