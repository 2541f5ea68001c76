import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Milliseconds until a process that was sent a signal is seen to have been, where the system does not show it. */
const PATIENCE = 200
/** Milliseconds between looks. */
const PAUSE = 5

/**
 * Tells a signal that was sent to our whole process group, as a terminal sends Ctrl-C and a service manager its SIGTERM, from one that was
 * sent to us alone. Nothing in Node says who sent a signal and to whom; so a small process of the same group waits, and a signal for all
 * ends it as well.
 */
export class SignalWitness {
  #witness: ChildProcess | undefined
  #isClosed = false

  constructor() {
    this.#begin()
  }

  #begin(): void {
    // A group of one's own, and signals to it, are a matter of POSIX systems.
    if (this.#isClosed || process.platform === 'win32') return
    // It reads what never comes, and ends with us, however that is.
    const witness = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' })
    witness.on('error', () => {})
    witness.stdin.on('error', () => {})
    witness.unref()
    ;(witness.stdin as unknown as { unref(): void }).unref()
    this.#witness = witness.pid === undefined ? undefined : witness
  }

  /**
   * Whether the signal that has just come was sent to the process group.
   *
   * @returns undefined where that cannot be said: there is no `cat`, or this is Windows.
   */
  async wasForAll(): Promise<boolean | undefined> {
    const witness = this.#witness
    if (witness === undefined) return undefined
    const end = performance.now() + PATIENCE
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
      const wasSent = hasEnded(witness) || signalsFor(witness.pid!)
      if (wasSent === true) {
        // The next signal has a witness too.
        if (this.#witness === witness) this.#begin()
        return true
      }
      if (wasSent === false) return false
    }
    return false
  }

  close(): void {
    this.#isClosed = true
    this.#witness?.kill('SIGKILL')
    this.#witness = undefined
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** Whether a signal waits for a process, or has ended it; undefined where the system does not say so (`/proc` is Linux's). */
function signalsFor(pid: number): boolean | undefined {
  let status: string
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform === 'linux'
      ? true
      : undefined
  }
  return /^State:\s+[ZX]/m.test(status) || /^(?:Sig|Shd)Pnd:\s+0*[1-9a-f]/m.test(status)
}
