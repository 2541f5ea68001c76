/** What is said at the end of a process whose telemetry thread has not: it did not get to run, or is gone. */
import { readLogLevel } from '../config/log-level.js'
import { Variables } from '../config/variables.js'
import { readAccounts, type SignalAccounts } from '../ring/accounts.js'
import { HAS_BEEN_TOLD, type ThreadMemory, TOLD } from '../ring/layout.js'
import { RingReader, type Signal } from '../ring/reader.js'
import { claimReport, reportAccounts } from './accounts-report.js'
import { stderrLog } from './stderr-log.js'

/** Milliseconds for a telemetry thread that has begun to say it. */
const SAYING = 50

/** What was on its way, and what nobody had read: why it did not arrive, as far as is known. */
const CAUSES = {
  late: { waiting: 'timeout', unread: 'unread' },
  gone: { waiting: 'collector', unread: 'collector' },
}

/**
 * Tells of all spans and log records that are not known to have arrived.
 * @param memories Of the threads whose rings have perhaps not been read.
 * @param thread What is known of the telemetry thread.
 */
export function tellUnheard(
  control: Int32Array,
  memories: Iterable<ThreadMemory>,
  env: NodeJS.ProcessEnv,
  thread: keyof typeof CAUSES,
): void {
  if (!claimReport(control)) {
    const nothing = new Int32Array(new SharedArrayBuffer(4))
    for (let i = 0; i < SAYING && Atomics.load(control, TOLD) !== HAS_BEEN_TOLD; i++)
      Atomics.wait(nothing, 0, 0, 1)
    if (Atomics.load(control, TOLD) === HAS_BEEN_TOLD) return
  }
  const unread = { spans: 0, logs: 0 }
  for (const memory of memories) addUnread(memory, thread === 'gone', unread)
  const { logs, ...spans } = readAccounts(control.buffer as SharedArrayBuffer)
  const known = concluded(spans, CAUSES[thread], unread.spans)
  const none = { made: 0, delivered: 0, waiting: 0, kept: 0, dropped: {} }
  const told =
    logs === undefined && unread.logs === 0
      ? known
      : { ...known, logs: concluded(logs ?? none, CAUSES[thread], unread.logs) }
  reportAccounts(control, told, stderrLog(readLogLevel(new Variables(env))), env)
}

/** The accounts once nothing is waited for any more. */
function concluded(
  { made, delivered, waiting, kept, dropped }: SignalAccounts,
  names: { readonly waiting: string; readonly unread: string },
  unread: number,
): SignalAccounts {
  const causes: Record<string, number> = { ...dropped }
  const add = (name: string, count: number): void => {
    if (count > 0) causes[name] = (causes[name] ?? 0) + count
  }
  add(names.waiting, waiting)
  add(names.unread, unread)
  return { made: made + unread, delivered, waiting: 0, kept, dropped: causes }
}

/**
 * Counts what is in a thread's memory: spans that have ended or are open, and log records.
 * @param isGone Whether the reader is; one that is there seals the memory as it closes what is open.
 */
function addUnread(memory: ThreadMemory, isGone: boolean, unread: Record<Signal, number>): void {
  const reader = new RingReader(memory)
  reader.look({
    scope() {},
    spans: (_scope, _bytes, count) => {
      unread.spans += count
    },
    logged: () => {
      unread.logs++
    },
  })
  for (const { signal, count } of reader.takeLosses()) unread[signal] += count
  if (isGone || !reader.isSealed) for (const _open of reader.open()) unread.spans++
}
