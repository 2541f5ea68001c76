/** What logs in this thread: loaded with the first logger. */
import { dirname } from 'node:path'
import { context as contextApi } from '@opentelemetry/api'
import type { Environment } from '../config/variables.js'
import { spanOf } from '../context/context.js'
import { isRecorded } from '../context/exception.js'
import { transactionIn } from '../context/transaction.js'
import { now, timeOf, unixNano, writeUnixNano } from '../core/clock.js'
import { ownFile } from '../core/own-files.js'
import { captureError } from '../errors/capture.js'
import { describeException } from '../exceptions/exception.js'
import { loadPart } from '../hooks/parts.js'
import type { ThreadLogging } from '../logs/thread.js'
import type * as LogsPart from './logs-part.cjs'
import type { ThreadRelay } from './thread-relay.js'

/** The logging of this thread, which costs nothing until there is a logger. */
export class LateLogging {
  private loaded: ThreadLogging | undefined
  private isLeft = false

  constructor(
    private readonly relay: ThreadRelay,
    private readonly env: Environment,
  ) {}

  /** Gives OpenTelemetry's API a LoggerProvider, where nobody has given it another. */
  provide(): void {
    part().yieldLogsApi(
      () => this.load().provider,
      (provider) => this.loaded?.yieldTo(provider),
    )
  }

  /** Follows loggers. @param disabled Names to leave out. */
  follow(disabled: readonly string[]): void {
    part().followLoggers(this.load(), disabled)
  }

  /** Follows `console`, where that is chosen. */
  followConsole(): void {
    if (this.load().followsConsole) part().followConsole(this.load())
  }

  /** An SDK of the application's comes with bridges of its own: from now on no records are made. */
  leave(): void {
    this.isLeft = true
    this.loaded?.leave()
  }

  private load(): ThreadLogging {
    const { relay, env, isLeft } = this
    this.loaded ??= new (part().ThreadLogging)({
      relay,
      env,
      isLeft,
      contextApi,
      spanOf,
      transactionIn,
      now,
      timeOf,
      unixNano,
      writeUnixNano,
      describeException,
      isRecorded,
      captureError,
    })
    return this.loaded
  }
}

/** In a file of its own, since most threads log nothing. */
function part(): typeof LogsPart {
  const file = ownFile('logs.cjs')
  return loadPart<typeof LogsPart>(dirname(file), 'logs.cjs')
}
