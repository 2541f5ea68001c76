import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The URL of a file of the built package, for tests of what the package does not export. Tests run from the root. */
export function dist(file: string): string {
  return pathToFileURL(resolve(process.env['THREADSPAN_DIST'] ?? 'dist', file)).href
}
