/**
 * Whose a folder of link files is. A process that exports makes the folder and owns it; when it is gone, the first of its
 * descendants to notice inherits it, with all that was not delivered.
 *
 * Owners are files `owner-0`, `owner-1`, ... of which the highest counts. Each is created whole, by a link that fails if the name
 * is taken, and never changed but by what its owner appends: `leaving` before it reads for the last time, `left` behind that.
 *
 * A descendant that has written and *then* finds its owner not leaving can rely on being read.
 */
import {
  appendFileSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, isAbsolute, join } from 'node:path'
import { LINK_SUFFIX } from './format.js'
import { identityOf, isAlive, isNear } from './liveness.js'

const FOLDER_PREFIX = 'threadspan-link-'
/** As `mkdtemp` makes it. */
const FOLDER_NAME = /^threadspan-link-\w{6}$/
const OWNER = 'owner-'
const LEAVING = 'leaving\n'
const LEFT = 'left\n'
/** A signal that crosses to processes: see `context/deadlines/files.ts`. */
const SIGNAL = /^[\d-]+\.signal$/

/** `gone`: the owner is dead or has left; `missing`: there is no such folder any more. */
export type OwnerState = 'present' | 'leaving' | 'gone' | 'missing'

/** A new private folder, owned by this process. @throws What the file system says. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX))
  writeFileSync(join(folder, `${OWNER}0`), `${identityOf(process.pid)}\n`, { flag: 'wx', mode: 0o600 })
  return folder
}

/**
 * Whether a folder is one that this package made, as far as that can be proved: it has a name of ours and an owner's mark, is no link to
 * elsewhere, and this user's alone. The environment names it, and whoever sets that may name any folder.
 */
export function isTrusted(folder: string): boolean {
  if (!isAbsolute(folder) || folder.includes('\0') || !FOLDER_NAME.test(basename(folder))) return false
  try {
    const stat = lstatSync(folder)
    return stat.isDirectory() && isPrivate(stat) && hasOwner(folder)
  } catch {
    return false
  }
}

/** Windows keeps temporary folders in the user's profile; its modes say nothing. */
function isPrivate({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  const user = process.geteuid?.()
  return user === undefined || (uid === user && (mode & 0o077) === 0)
}

function hasOwner(folder: string): boolean {
  const generation = generations(folder)
  if (generation < 0) return false
  const stat = lstatSync(join(folder, OWNER + generation))
  return stat.isFile() && isPrivate({ uid: stat.uid, mode: 0 })
}

function generations(folder: string): number {
  let last = -1
  for (const file of readdirSync(folder)) {
    if (!file.startsWith(OWNER)) continue
    const number = Number(file.slice(OWNER.length))
    if (Number.isSafeInteger(number) && number > last) last = number
  }
  return last
}

function stateOf(folder: string, generation: number): OwnerState {
  const [identity = '', ...marks] = readFileSync(join(folder, OWNER + generation), 'latin1').split('\n')
  if (marks.includes('left') || !isAlive(identity)) return 'gone'
  return marks.includes('leaving') ? 'leaving' : 'present'
}

/** Whether the owner of a folder, and this process, can tell of each other whether they live: not from one pid namespace to another. */
export function isWithinReach(folder: string): boolean {
  try {
    const generation = generations(folder)
    return (
      generation < 0 || isNear(readFileSync(join(folder, OWNER + generation), 'latin1').split('\n', 1)[0]!)
    )
  } catch {
    return true
  }
}

/** Who looks after a folder now. */
export function ownerState(folder: string): OwnerState {
  try {
    const generation = generations(folder)
    return generation < 0 ? 'missing' : stateOf(folder, generation)
  } catch {
    return 'missing'
  }
}

/**
 * Makes this process the owner of a folder whose owner is gone.
 * @returns False when another one was faster, or the folder is missing.
 */
export function claim(folder: string): boolean {
  const draft = join(folder, `claim-${process.pid}`)
  try {
    const generation = generations(folder)
    if (generation < 0 || stateOf(folder, generation) !== 'gone') return false
    writeFileSync(draft, `${identityOf(process.pid)}\n`, { mode: 0o600 })
    linkSync(draft, join(folder, OWNER + (generation + 1)))
    return true
  } catch {
    return false
  } finally {
    remove(draft)
  }
}

function mark(folder: string, text: string): void {
  try {
    const generation = generations(folder)
    if (generation >= 0) appendFileSync(join(folder, OWNER + generation), text)
  } catch {
    // Somebody tidied up first.
  }
}

/** The owner is about to read for the last time: what is written from now on is another's. */
export function announceLeaving(folder: string): void {
  mark(folder, LEAVING)
}

/** The owner has read and delivered; with nothing left in the folder it goes, else it awaits an heir. */
export function leave(folder: string): void {
  mark(folder, LEFT)
  removeFolder(folder)
}

/** Removes a folder in which nobody has anything left to read. One that is filled meanwhile stays. */
function removeFolder(folder: string): void {
  try {
    const files = readdirSync(folder)
    if (files.some((file) => file.includes(LINK_SUFFIX))) return
    empty(folder, files)
  } catch {
    // A descendant has just made its file there; it will find that the owner is gone.
  }
}

/** Files that are made here. */
const OWN_FILE = /^(?:owner-\d+|claim-\d+|settings(?:-\d+)?|configuration|.*\.link(?:-left)?)$/

/** Takes what is ours out of a folder, and the folder if that was all. */
function empty(folder: string, files: readonly string[]): void {
  for (const file of files) if (OWN_FILE.test(file) || SIGNAL.test(file)) remove(join(folder, file))
  rmdirSync(folder)
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already.
  }
}

/** Milliseconds that a signal outlives its process: those whom it has aborted may not have looked yet. */
const STALE_SIGNAL = 10 * 60_000

/** Removes signals that nobody aborts any more, for their process is gone. */
export function sweepSignals(folder: string, now: number): void {
  try {
    for (const file of readdirSync(folder)) {
      if (!SIGNAL.test(file) || isAlive(String(Number.parseInt(file, 10)))) continue
      if (now - lstatSync(join(folder, file)).mtimeMs > STALE_SIGNAL) remove(join(folder, file))
    }
  } catch {
    // The folder is gone, or somebody tidies up as well.
  }
}

/** Milliseconds that a folder without an owner is kept: a descendant may still come back to it. One without files has nothing to come back for. */
const STALE = 24 * 60 * 60 * 1000
const STALE_EMPTY = 60_000
/** Folders that one sweep looks at. */
const SWEEP = 1000

/** Removes what killed owners have left behind: this user's folders whose owner is gone, older than a day, or empty. */
export function sweepFolders(now: number): void {
  try {
    const parent = tmpdir()
    const names = readdirSync(parent).filter((name) => name.startsWith(FOLDER_PREFIX))
    for (const name of names.slice(0, SWEEP)) {
      const folder = join(parent, name)
      if (!isTrusted(folder)) continue
      const files = readdirSync(folder)
      const links = files.filter((file) => file.includes(LINK_SUFFIX))
      const age = now - lstatSync(folder).mtimeMs
      if (age < (links.length > 0 ? STALE : STALE_EMPTY) || ownerState(folder) !== 'gone') continue
      if (links.some((file) => isAlive(String(Number.parseInt(file, 10))))) continue
      empty(folder, files)
    }
  } catch {
    // Not ours to tidy, then.
  }
}
