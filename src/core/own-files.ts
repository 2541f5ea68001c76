import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ThreadspanError } from './errors.js'

/** A file that lies in the package's folder of built files, and by which that is known. */
const LANDMARK = 'collector.cjs'

let folder: string | undefined

/**
 * The absolute path of one of this package's own files, which threads load later: of the collector, of what few need.
 *
 * They lie beside our bundles, or in the folder above our modules. Where an application's bundler has taken this code in, they are those of
 * the package as it is installed beside the program.
 *
 * @throws ThreadspanError `THREADSPAN_BUNDLED` where there is none.
 */
export function ownFile(name: string): string {
  folder ??= find()
  return join(folder, name)
}

function find(): string {
  const { fileURLToPath, pathToFileURL } = process.getBuiltinModule('node:url')
  // Bundlers that make CommonJS leave nothing of it.
  const here = import.meta.url as string | undefined
  if (here?.startsWith('file:')) {
    const beside = dirname(fileURLToPath(here))
    for (const candidate of [beside, dirname(beside)])
      if (existsSync(join(candidate, LANDMARK))) return candidate
  }
  // The application's own, never what lies in the working directory.
  const main = here ?? (process.argv[1] === undefined ? undefined : pathToFileURL(process.argv[1]).href)
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    const installed = join(dirname(createRequire(main!).resolve('threadspan/package.json')), 'dist')
    if (existsSync(join(installed, LANDMARK))) return installed
  } catch {
    // Told below.
  }
  throw new ThreadspanError(
    'THREADSPAN_BUNDLED',
    'The files of threadspan are not beside the program that it was bundled into: mark `threadspan` as external in the bundler’s options and install it there',
  )
}
