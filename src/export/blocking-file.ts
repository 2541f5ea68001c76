/** What the exporter `file` does, at once: for the end of a process, where no event loop runs any more. */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Batch } from './exporter.js'
import { jsonOf } from './request-json.js'

/**
 * Appends one line.
 * @returns Whether it is in the file, whole; else nothing of it is.
 */
export function appendNow(path: string, batches: readonly Batch[]): boolean {
  let file: number | undefined
  let written = 0
  let before = 0
  try {
    const full = resolve(path)
    mkdirSync(dirname(full), { recursive: true, mode: 0o700 })
    file = openSync(full, 'a+', 0o600)
    before = fstatSync(file).size
    const line = Buffer.from(`${endsWhole(file, before) ? '' : '\n'}${jsonOf(batches, 'spans')}\n`)
    while (written < line.length) written += writeSync(file, line, written)
    return true
  } catch {
    if (file !== undefined && written > 0) takeBack(file, before, written)
    return false
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Whether the file's last line is complete: a process that was killed can have left a torn one. */
function endsWhole(file: number, size: number): boolean {
  const last = Buffer.alloc(1)
  return size === 0 || readSync(file, last, 0, 1, size - 1) === 0 || last[0] === 0x0a
}

/** Another process can have appended to the same file meanwhile: then the torn line stays, and the next begins anew. */
function takeBack(file: number, before: number, written: number): void {
  try {
    if (fstatSync(file).size === before + written) ftruncateSync(file, before)
  } catch {
    // The next line begins anew.
  }
}
