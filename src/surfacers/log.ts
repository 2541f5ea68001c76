import type { Measurement } from '../metrics/measurement.js'
import type { Surfacer } from '../metrics/surfacer.js'

type Write = (...parts: unknown[]) => void

/** pino, winston, `console`, and whatever has a method of the level's name. */
export interface LevelLogger {
  readonly [level: string]: unknown
}

export interface LogSurfacerOptions {
  /** `console` where it is left out. */
  readonly logger?: object
  /** The name of the logger's method; `info` where it is left out. */
  readonly level?: string
}

/**
 * A line for each value. pino gets the fields before the message, winston behind it; others get one text, with the fields as JSON.
 */
export class LogSurfacer implements Surfacer {
  readonly #write: (message: string, fields: object) => void

  /** @throws TypeError where the logger has no method of that name. */
  constructor({ logger = console, level = 'info' }: LogSurfacerOptions = {}) {
    const methods = logger as LevelLogger
    const method = methods[level]
    if (typeof method !== 'function') throw new TypeError(`the logger has no method ${level}`)
    const write = (method as Write).bind(logger)
    if (typeof methods['bindings'] === 'function') this.#write = (message, fields) => write(fields, message)
    else if (methods['transports'] !== undefined) this.#write = (message, fields) => write(message, fields)
    else this.#write = (message, fields) => write(`${message} ${JSON.stringify(fields, plain)}`)
  }

  record(measurement: Measurement): void {
    const { name, value, unit, kind, attributes, transaction, isLate } = measurement
    const shown = unit === '' ? String(value) : `${value} ${unit}`
    this.#write(`${name} ${shown}`, {
      metric: { name, kind, value, unit, attributes },
      ...(transaction === undefined
        ? {}
        : { trace_id: transaction.traceId, transaction_id: transaction.id, transaction: transaction.name }),
      ...(isLate ? { late: true } : {}),
    })
  }
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
