import type { LineCode } from '../../core/codes.js'
import type { Environment } from '../variables.js'
import { variablesOf } from './configuration.js'
import { IGNORED } from './ignored.js'
import { ConfigFileError } from './section.js'

/** What takes the place of an environment's variables; an empty value is one that is not set. */
export type Overlay = Readonly<Record<string, string>>

/** What is to be told of a file. */
export interface FileNotice {
  readonly level: 'error' | 'warn'
  readonly code: LineCode
  readonly message: string
}

export interface ResolvedFile {
  readonly overlay: Overlay
  readonly notices: readonly FileNotice[]
}

/** Reads the file's text, its references to variables replaced. */
export type ReadDocument = (env: Environment) => unknown

/**
 * What an environment that names a file comes to. Nothing is recorded where the file cannot be used: another configuration than the one
 * that was meant could send to where nothing shall be sent.
 *
 * @param file As it is shown.
 */
export function resolveFile(file: string, env: Environment, read: ReadDocument): ResolvedFile {
  const notices: FileNotice[] = []
  const ignored = Object.fromEntries(IGNORED.map((name) => [name, '']))
  try {
    const variables = variablesOf(read(env), (path, why) => {
      notices.push({
        level: 'warn',
        code: 'THREADSPAN_CONFIG_UNSUPPORTED',
        message: `${file}: ${path}: ${why}`,
      })
    })
    const set = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return { overlay: { ...ignored, ...Object.fromEntries(set) }, notices }
  } catch (error) {
    const why =
      error instanceof ConfigFileError ? error.message : String((error as Error).message).split('\n', 1)[0]!
    const message = `${file} cannot be used, and nothing is recorded: ${why}`
    notices.push({ level: 'error', code: 'THREADSPAN_CONFIG_FILE', message })
    return { overlay: { ...ignored, OTEL_SDK_DISABLED: 'true' }, notices }
  }
}
