import type { Disable } from '../../hooks/channels.js'
import type { LogTarget } from '../../logs/target.js'
import type { InstrumentationName } from '../libraries.js'

/** Follows one logger. It never loads the library, and changes of its output nothing but the ids that it adds. */
export interface LoggerBridge {
  readonly name: InstrumentationName
  /** Versions of the library that are tested, as the docs say it. */
  readonly versions: string
  /** Adds ids to its lines, and hands its records on, of what the thread has loaded and will load. @returns ends it. */
  enable(target: LogTarget): Disable
}
