/** What is said of a process's spans at its end: once, by whichever thread gets to it first. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountsRecord, DOCTOR, isDoctorsFolder, RECORDS_SUFFIX, readTold } from '../core/doctor.js'
import type { ExportLog } from '../export/exporter.js'
import type { SpanAccounts } from '../ring/accounts.js'
import { BEING_TOLD, HAS_BEEN_TOLD, TOLD, UNTOLD } from '../ring/layout.js'

/** Whether it is the caller's to say; `toldAccounts` must follow. */
export function claimReport(control: Int32Array): boolean {
  return Atomics.compareExchange(control, TOLD, UNTOLD, BEING_TOLD) === UNTOLD
}

/** Tells what became of the spans: a line, if any was dropped, and a record for a watching doctor. */
export function reportAccounts(
  control: Int32Array,
  { made, delivered, dropped, logs }: SpanAccounts,
  log: ExportLog,
  env: NodeJS.ProcessEnv,
): void {
  const causes = Object.entries(dropped)
  const { folder } = readTold(env[DOCTOR] ?? '') ?? {}
  if (folder !== undefined && isDoctorsFolder(folder))
    tellDoctor(folder, { type: 'accounts', made, delivered, dropped: causes })
  tellDropped('spans', made, causes, log)
  if (logs !== undefined) tellDropped('log records', logs.made, Object.entries(logs.dropped), log)
  Atomics.store(control, TOLD, HAS_BEEN_TOLD)
}

function tellDropped(what: string, made: number, causes: readonly [string, number][], log: ExportLog): void {
  if (causes.length === 0) return
  const lost = causes.reduce((sum, [, count]) => sum + count, 0)
  const told = causes.map((cause) => cause.join(' ')).join(', ')
  log('warn', 'THREADSPAN_DROPPED', `${lost} of ${made} ${what} did not arrive: ${told}`)
}

function tellDoctor(folder: string, record: AccountsRecord): void {
  try {
    appendFileSync(join(folder, `accounts-${process.pid}${RECORDS_SUFFIX}`), `${JSON.stringify(record)}\n`)
  } catch {
    // It no longer wants to know.
  }
}
