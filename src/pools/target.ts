import { parse } from 'node:path'

/** What a task runs: a file and the name of one of its exports, in the forms that adapters need. */
export interface Target {
  readonly filename: string
  readonly name: string
  /** What spans call it: `resize` for the default export of `/app/resize.js`, `images.resize` for a named one. */
  readonly task: string
  /** Both in one string, for the worker-side file that stands in for the real one. */
  readonly encoded: string
}

/** Neither file names nor what people export under a name hold it. */
const SEPARATOR = '\0'

/** Programs that make up a file name for each task must not grow the table for ever. */
const MAX_TARGETS = 1000

/** Remembers targets by file and name: nearly every task of a program has one of a handful. */
export class Targets {
  readonly #files = new Map<string, Map<string, Target>>()
  #size = 0
  readonly #encoded = new Map<string, Target>()
  #last: Target = { filename: '', name: '', task: '', encoded: '' }

  /** The target that was given out with this encoded form. */
  find(encoded: string): Target | undefined {
    return this.#encoded.get(encoded)
  }

  /**
   * The target for a file (path, file URL or module name) and the name of an export.
   * @throws TypeError for a file URL that names no file of this machine.
   */
  get(filename: string, name: string): Target {
    const last = this.#last
    if (last.filename === filename && last.name === name) return last
    let names = this.#files.get(filename)
    let target = names?.get(name)
    if (target === undefined) {
      if (++this.#size > MAX_TARGETS) {
        this.#files.clear()
        this.#encoded.clear()
        this.#size = 1
        names = undefined
      }
      if (names === undefined) {
        names = new Map()
        this.#files.set(filename, names)
      }
      target = makeTarget(filename, name)
      names.set(name, target)
      this.#encoded.set(target.encoded, target)
    }
    this.#last = target
    return target
  }
}

function makeTarget(filename: string, name: string): Target {
  const path = filename.startsWith('file:')
    ? process.getBuiltinModule('node:url').fileURLToPath(filename)
    : filename
  const file = parse(path).name
  return {
    filename,
    name,
    task: name === 'default' ? file : `${file}.${name}`,
    encoded: name + SEPARATOR + path,
  }
}
