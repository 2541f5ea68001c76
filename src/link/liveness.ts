/**
 * Whether a process still runs, told apart from a later one with the same number where the system says when it started, and from one of
 * another pid namespace, where the number says nothing.
 */
import { readFileSync, readlinkSync } from 'node:fs'

/** Fields of `/proc/PID/stat` behind the command's name (proc(5)). */
const STATE = 0
const START = 19
/** In place of what the system does not tell. */
const UNKNOWN = '-'

function link(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** Fields of `/proc/PID/stat` that follow the name, which may hold anything; undefined where there are none, or not of this namespace. */
function stat(pid: number): string[] | undefined {
  if (link('/proc/self') !== String(process.pid)) return undefined
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** The pid namespace of this process; undefined where the system has none (pid_namespaces(7)). */
function namespace(): string | undefined {
  return /\d+/.exec(link('/proc/self/ns/pid') ?? '')?.[0]
}

/** A process of this namespace as a text for `isAlive`: its number, when it started, and the namespace, where the system tells. */
export function identityOf(pid: number): string {
  return [pid, stat(pid)?.[START] ?? UNKNOWN, namespace() ?? UNKNOWN].join(' ')
}

/** Whether a process of that identity can be told to be alive or gone from here. */
export function isNear(identity: string): boolean {
  const [, , theirs = UNKNOWN] = identity.split(' ', 3)
  return theirs === UNKNOWN || theirs === (namespace() ?? UNKNOWN)
}

/**
 * Whether the process runs. A zombie, which only waits for its parent to take note, does not; one that cannot be told does.
 * @param identity What `identityOf` gave, or a number alone.
 */
export function isAlive(identity: string): boolean {
  const [pid = Number.NaN, start] = identity.split(' ', 2).map(Number)
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  if (!isNear(identity)) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process is one all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const fields = stat(pid)
  if (fields === undefined) return true
  if (fields[STATE] === 'Z' || fields[STATE] === 'X') return false
  return start === undefined || Number.isNaN(start) || Number(fields[START]) === start
}
