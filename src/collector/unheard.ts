/** What is said at the end of a process whose telemetry thread has not: it did not get to run, or is gone. */
import { readLogLevel } from '../config/log-level.js'
import { Variables } from '../config/variables.js'
import { Accounts } from '../ring/accounts.js'
import { HAS_BEEN_TOLD, type ThreadMemory, TOLD } from '../ring/layout.js'
import { RingReader } from '../ring/reader.js'
import { claimReport, reportAccounts } from './accounts-report.js'
import { stderrLog } from './stderr-log.js'

/** Milliseconds for a telemetry thread that has begun to say it. */
const SAYING = 50

/** Spans that were on their way, and that nobody had read: why they did not arrive, as far as is known. */
const CAUSES = {
  late: { waiting: 'timeout', unread: 'unread' },
  gone: { waiting: 'collector', unread: 'collector' },
}

/**
 * Tells of all spans that are not known to have arrived.
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
  const { made, delivered, waiting, kept, dropped } = new Accounts(control.buffer as SharedArrayBuffer).read()
  const causes: Record<string, number> = { ...dropped }
  const add = (name: string, count: number): void => {
    if (count > 0) causes[name] = (causes[name] ?? 0) + count
  }
  let unread = 0
  for (const memory of memories) unread += unreadIn(memory, thread === 'gone')
  add(CAUSES[thread].waiting, waiting)
  add(CAUSES[thread].unread, unread)
  const level = readLogLevel(new Variables(env))
  const known = { made: made + unread, delivered, waiting: 0, kept, dropped: causes }
  reportAccounts(control, known, stderrLog(level), env)
}

/**
 * Spans in a thread's memory: those that have ended, and those that are open.
 * @param isGone Whether the reader is; one that is there seals the memory as it closes what is open.
 */
function unreadIn(memory: ThreadMemory, isGone: boolean): number {
  const reader = new RingReader(memory)
  let count = reader.look({ scope() {}, spans() {} })
  for (const { spans } of reader.takeLosses()) count += spans
  if (isGone || !reader.isSealed) for (const _open of reader.open()) count++
  return count
}
