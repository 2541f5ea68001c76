import { writeSync } from 'node:fs'
import type { Environment } from '../config/variables.js'

/** What a terminal can show. */
export interface TerminalStyle {
  /** Columns. */
  readonly width: number
  readonly color: boolean
}

const DEFAULT_WIDTH = 100

/**
 * Whether to colour, and how wide. `FORCE_COLOR` goes before `NO_COLOR` (https://no-color.org), as in Node.
 * @param fd 1 or 2.
 * @param columns Where it is known: a worker thread cannot find out. `COLUMNS` comes next, then 100.
 */
export function terminalStyle(fd: number, env: Environment, columns?: number): TerminalStyle {
  const asked = Number(env['COLUMNS'])
  const width = columns ?? (Number.isInteger(asked) && asked > 0 ? asked : DEFAULT_WIDTH)
  return { width, color: wantsColor(env, fd) }
}

function wantsColor(env: Environment, fd: number): boolean {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  if ((env['NO_COLOR'] ?? '') !== '') return false
  // Loaded here: it brings the network modules along.
  return env['TERM'] !== 'dumb' && process.getBuiltinModule('node:tty').isatty(fd)
}

/** Attempts to write to a pipe that is full, five milliseconds apart: two seconds. */
const PATIENCE = 400

/**
 * Writes text to standard output (1) or error (2), at once. In a worker thread `process.stdout` is carried by the main
 * thread, which waits when the process ends: what is written to it then is lost.
 * @returns False when it cannot be written: the pipe is closed, or nobody reads it.
 */
export function writeOut(fd: number, text: string): boolean {
  const bytes = Buffer.from(text)
  let written = 0
  for (let attempt = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written)
      attempt = 0
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || ++attempt > PATIENCE) return false
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
  return true
}
