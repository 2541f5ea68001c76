import { createRequire } from 'node:module'
import { ThreadspanError } from '../../core/errors.js'

const NEEDED = ['@opentelemetry/api', 'fastify', 'piscina', 'node-sqlite3-wasm']

/**
 * Sees to it that the packages that the demo's service is written with are there: they are no dependencies of ours.
 *
 * @throws ThreadspanError `THREADSPAN_DEMO_PACKAGES` with the command that installs those that are missing.
 */
export function requirePackages(): void {
  const { resolve } = createRequire(import.meta.url)
  const missing = NEEDED.filter((name) => {
    try {
      resolve(name)
      return false
    } catch {
      return true
    }
  })
  if (missing.length === 0) return
  throw new ThreadspanError(
    'THREADSPAN_DEMO_PACKAGES',
    `The demo needs packages that are not installed here:\n\n  npm install ${missing.join(' ')}\n\nThen try again.`,
  )
}
