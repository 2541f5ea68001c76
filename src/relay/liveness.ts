/** Whether a process still runs, told apart from a later one with the same number where the system says when it started. */
import { readFileSync } from 'node:fs'

/** Fields of `/proc/PID/stat` behind the command's name (proc(5)). */
const STATE = 0
const START = 19

/** Fields of `/proc/PID/stat` that follow the name, which may hold anything; undefined where there are none. */
function stat(pid: number): string[] | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** A process as a text for `isAlive`: its number, and when it started where the system tells. */
export function identityOf(pid: number): string {
  const start = stat(pid)?.[START]
  return start === undefined ? String(pid) : `${pid} ${start}`
}

/**
 * Whether the process runs. A zombie, which only waits for its parent to take note, does not.
 * @param identity What `identityOf` gave, or a number alone.
 */
export function isAlive(identity: string): boolean {
  const [pid = Number.NaN, start] = identity.split(' ', 2).map(Number)
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
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
