import { dirname, join } from 'node:path'
import { callSites } from '../hooks/call-sites.js'

const PACKAGE = '@opentelemetry/api'
/** Folders between a file of the API's package and its root, at most. */
const DEPTH = 6

/**
 * The version of the copy of OpenTelemetry's API that calls `callee`, by the `package.json` that its file belongs to.
 *
 * @returns undefined where that cannot be told: the API is part of a bundle.
 */
export function callingApiVersion(callee: (...args: never[]) => unknown): string | undefined {
  const file = callerOf(callee)
  return file === undefined ? undefined : packageVersion(file)
}

/** The file from which a function that is being called was called. The application's own ways with stacks stay untouched. */
function callerOf(callee: (...args: never[]) => unknown): string | undefined {
  try {
    const file = callSites(1, callee)?.[0]?.getFileName()
    if (typeof file !== 'string') return undefined
    // Not at load: a thread that meets no SDK shall not load `node:url` for it.
    return file.startsWith('file:') ? process.getBuiltinModule('node:url').fileURLToPath(file) : file
  } catch {
    return undefined
  }
}

function packageVersion(file: string): string | undefined {
  const { readFileSync } = process.getBuiltinModule('node:fs')
  let folder = dirname(file)
  for (let i = 0; i < DEPTH; i++, folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (name === PACKAGE) return String(version)
    } catch {
      // Most folders have none.
    }
  }
  return undefined
}
