/** Loads this package's own files late: what few threads need, they alone read and compile. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { shared } from '../core/shared.js'

type Wrapped = (
  exports: object,
  require: (request: string) => unknown,
  module: { exports: object },
  filename: string,
  dirname: string,
) => void

const parts = shared('hooks.parts', () => new Map<string, object>())

/**
 * A part's exports; each part runs once for a thread.
 *
 * Not by `require`: what the application and its tools do with the loader (hooks, coverage, an emptied `require.cache`) shall neither see
 * the parts nor give us a second copy of one.
 *
 * @param folder absolute path of the folder of built files.
 * @param name of a CommonJS file in it, which may ask for its neighbours and for Node's modules.
 * @throws what reading, compiling or running the file throws.
 */
export function loadPart<T extends object>(folder: string, name: string): T {
  const path = join(folder, name)
  const known = parts.get(path)
  if (known !== undefined) return known as T
  const { compileFunction } = process.getBuiltinModule('node:vm')
  const run = compileFunction(
    readFileSync(path, 'latin1'),
    ['exports', 'require', 'module', '__filename', '__dirname'],
    { filename: path },
  ) as Wrapped
  const module = { exports: {} }
  parts.set(path, module.exports)
  const require = (request: string): unknown =>
    request.startsWith('./')
      ? loadPart(folder, request.slice(2))
      : process.getBuiltinModule(request as 'node:module')
  try {
    run(module.exports, require, module, path, folder)
  } catch (error) {
    parts.delete(path)
    throw error
  }
  return module.exports as T
}
