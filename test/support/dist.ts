import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The URL of a file of the built package, for tests of what the package does not export. Tests run from the root. */
export function dist(file: string): string {
  return pathToFileURL(resolve(process.env['THREADSPAN_DIST'] ?? 'dist', file)).href
}

/** The URL of a file of the repository that tests in JavaScript share with those in TypeScript. */
export function root(file: string): string {
  return pathToFileURL(resolve(file)).href
}
