/**
 * How signals cross to child processes, which have no memory in common: an empty file for each, in the folder that a process shares with its
 * descendants. What is written into it says that the signal has aborted; busy processes see it too, where they look.
 */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { deadlines } from '../deadline.js'
import { outside } from './contexts.js'
import { type Kind, Relays, Source } from './source.js'

/** Signals that have a file. */
const FILES = 256
/** Milliseconds between two looks at a file that somebody waits for, and that looks of a busy program are apart at least. */
const INTERVAL = 20
const SUFFIX = '.signal'
/** What a name is, when it comes from outside: it becomes part of a path. */
const NAME = /^\d{1,10}-\d{1,10}-\d{1,10}$/

const names = new WeakMap<Source, string>()
const kept = new Relays(FILES)
let made = 0

/** The name by which descendants of this process find `source`; undefined where there is no folder. */
export function nameOf(source: Source): string | undefined {
  const known = names.get(source)
  if (known !== undefined) return known
  const folder = deadlines.folder?.(true)
  if (folder === undefined) return undefined
  // Threads of one process number theirs by themselves.
  const name = `${process.pid}-${threadId}-${++made}`
  const path = join(folder, name + SUFFIX)
  try {
    // Never one that is there already.
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  } catch {
    return undefined
  }
  names.set(source, name)
  const to = (kind: Kind): void => {
    try {
      writeFileSync(path, kind, { flag: 'r+' })
    } catch {
      // The folder is gone, and with it who would look.
    }
  }
  const ref = new WeakRef(source)
  kept.add(source, to, () => {
    const dropped = ref.deref()
    if (dropped !== undefined) names.delete(dropped)
    try {
      unlinkSync(path)
    } catch {
      // As above.
    }
  })
  return name
}

/** A signal of a process above, by the file that says what became of it. */
class FileSource extends Source {
  private known: Kind | undefined
  private lookedAt = Number.NEGATIVE_INFINITY
  private timer: NodeJS.Timeout | undefined

  constructor(readonly name: string) {
    super()
    names.set(this, name)
  }

  state(): Kind | undefined {
    if (this.known !== undefined) return this.known
    const now = performance.now()
    if (now - this.lookedAt < INTERVAL) return undefined
    this.lookedAt = now
    const folder = deadlines.folder?.(false)
    if (folder === undefined) return undefined
    try {
      const text = readFileSync(join(folder, this.name + SUFFIX), 'latin1')
      if (text !== '') this.known = text.startsWith('t') ? 'timeout' : 'abort'
    } catch {
      // Its process is gone, or has dropped it.
    }
    return this.known
  }

  protected listen(): void {
    this.timer = outside(() =>
      setInterval(() => {
        this.lookedAt = Number.NEGATIVE_INFINITY
        this.fire()
      }, INTERVAL),
    )
    this.timer.unref()
  }

  protected unlisten(): void {
    clearInterval(this.timer)
  }
}

const known = new Map<string, WeakRef<FileSource>>()

/** The source that a name stands for; undefined where it is none. */
export function sourceNamed(name: string): Source | undefined {
  if (!NAME.test(name)) return undefined
  const source = known.get(name)?.deref()
  if (source !== undefined) return source
  const created = new FileSource(name)
  if (known.size >= FILES) known.clear()
  known.set(name, new WeakRef(created))
  return created
}
