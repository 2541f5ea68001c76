/** Tells the doctor of the libraries that a watched program loads. */
import { readFileSync } from 'node:fs'
import Module from 'node:module'
import { dirname, join } from 'node:path'
import type { LoadedRecord } from '../core/doctor.js'
import { sharedPools } from '../pools/shared.js'
import { MOST_NAME } from './doctor-names.js'

function versionOf(file: string, name: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const described = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        unknown
      >
      if (described['name'] === name) return String(described['version']).slice(0, MOST_NAME)
    } catch {
      // Most folders have none.
    }
  }
  return ''
}

interface Loader {
  _load(
    this: unknown,
    request: string,
    parent: { filename?: string } | null | undefined,
    isMain: unknown,
  ): unknown
  _resolveFilename(request: string, parent: unknown): string
}

const API = '@opentelemetry/api'
const API_FILE = /[\\/]@opentelemetry[\\/]api[\\/]build[\\/]src[\\/]index\.js$/

/** Copies of libraries that are told of. */
const MOST = 100

/** Tells of libraries as they are loaded. To be called once the loader of the pools is in place: this goes around it. */
export function watchLoads(thread: string, tell: (record: LoadedRecord) => void): void {
  const loader = Module as unknown as Loader
  const seen = new Set<string>()
  /** Folders of copies of Piscina that are traced from inside. */
  const inside = new Set<string>()
  const once = (what: LoadedRecord['what'], file: string, way?: LoadedRecord['way']) => {
    if (seen.has(file) || seen.size >= MOST) return
    seen.add(file)
    const version = versionOf(file, what)
    if (version !== '') tell({ type: 'loaded', thread, what, version, way })
  }
  const look = (request: string, parent: { filename?: string } | null | undefined, exports: unknown) => {
    if (request === API) once(API, loader._resolveFilename(request, parent))
    else if (API_FILE.test(request)) once(API, request)
    if (typeof parent?.filename !== 'string') return
    const folder = dirname(parent.filename)
    const { traced } = sharedPools()
    if (request === './worker_pool' && traced.has(exports as object)) inside.add(folder)
    // A module that is still being loaded warns when it is asked for what it does not have.
    if (request !== './index' || typeof exports !== 'object' || exports === null) return
    if (!Object.hasOwn(exports, 'Piscina')) return
    const type = (exports as { Piscina: object }).Piscina
    once('piscina', parent.filename, inside.has(folder) ? 'internals' : traced.has(type) ? 'run' : 'none')
  }
  const load = loader._load
  loader._load = function (request, parent, isMain) {
    const exports = load.call(this, request, parent, isMain)
    try {
      look(request, parent, exports)
    } catch {
      // It is the application's load, whatever becomes of the telling.
    }
    return exports
  }
}
