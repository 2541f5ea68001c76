/** How threads and processes end, in a line each: what a span that they left open is closed with. */

/** A worker thread's end. */
export function workerDeath(end: { exitCode: number; error: unknown; terminated: boolean }): string {
  const { exitCode, error, terminated } = end
  const code = codeOf(error)
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'worker ran out of memory'
  if (error !== undefined && error !== null) return `worker ended by an uncaught ${nameOf(error)}`
  if (terminated) return 'worker terminated'
  return `worker exited with code ${exitCode}`
}

/** A child process's end. */
export function childDeath(end: { exitCode: number | null; signal: string | null; error: unknown }): string {
  if (end.signal !== null) return `process killed by ${end.signal}`
  if (end.exitCode !== null) return `process exited with code ${end.exitCode}`
  return `process did not start: ${codeOf(end.error) ?? nameOf(end.error)}`
}

/** This process's end. */
export function ownDeath(exitCode: unknown, uncaught: unknown): string {
  const code = typeof exitCode === 'number' ? exitCode : Number(exitCode ?? 0) || 0
  return uncaught === undefined
    ? `process exited with code ${code}`
    : `process exited with code ${code} after an uncaught ${nameOf(uncaught)}`
}

function codeOf(error: unknown): string | undefined {
  try {
    const code = (error as { code?: unknown } | null | undefined)?.code
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined
  }
}

function nameOf(error: unknown): string {
  try {
    if (error instanceof Error) return String(error.name).substring(0, 80)
  } catch {
    // An error whose name cannot be read is still an error.
  }
  return typeof error
}
