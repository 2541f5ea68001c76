import { createRequire } from 'node:module'
import { ThreadspanError } from '../../core/errors.js'

const API = '@opentelemetry/api'

/**
 * Sees to it that the API is there, which this package leaves to the application: package managers can be told not to install such ones. All else
 * that the demo's service is written with comes along (`packages.mjs`).
 *
 * @throws ThreadspanError `THREADSPAN_DEMO_PACKAGES` with the command that installs it.
 */
export function requirePackages(): void {
  try {
    createRequire(import.meta.url).resolve(API)
  } catch {
    throw new ThreadspanError(
      'THREADSPAN_DEMO_PACKAGES',
      `The demo needs a package that is not installed here:\n\n  npm install ${API}\n\nThen try again.`,
    )
  }
}
