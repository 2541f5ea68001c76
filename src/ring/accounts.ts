import { now, unixNano } from '../core/clock.js'
import { ACCOUNTS, LOG_ACCOUNTS } from './layout.js'
import type { Signal } from './reader.js'

/** Where a span was given up: before an exporter had it, or there. */
export type Stage = 'queue' | 'exporter'

/** Not dropped: it lies in the spool, for the next start. */
export const SPOOLED = 'spooled'

/** Why spans did not arrive. Each has a word at each stage; other causes, of another version's, count as the last one. */
const CAUSES = [
  SPOOLED,
  'ring-full',
  'too-large',
  'unencodable',
  'queue-full',
  'no-scope',
  'corrupt',
  'collector',
  'unread',
  'timeout',
  'endpoint',
  'throttled',
  'rejected',
  'closed',
  'file',
  'output',
  'switched-off',
  'failed',
]

/** Indexes of the words. */
const SINCE = 0
const MADE = 1
const SUBMITTED = 2
const DELIVERED = 3
const CAUSE = { queue: 4, exporter: 4 + CAUSES.length }
const WORDS = 4 + 2 * CAUSES.length

/** What has become of things that are delivered: `made = delivered + waiting + kept` and all of `dropped`, always. */
export interface SignalAccounts {
  /** Spans that ended, or were closed because their thread or process had died; log records that were emitted. */
  readonly made: number
  /** Those that arrived. */
  readonly delivered: number
  /** Those that wait to be exported, or are on their way. */
  readonly waiting: number
  /** Those that lie in the spool, for the next start. */
  readonly kept: number
  /** Those that did not arrive, by cause. */
  readonly dropped: Readonly<Record<string, number>>
}

/** What has become of the spans of a process until now, and of its log records. */
export interface SpanAccounts extends SignalAccounts {
  /** Undefined where no log record was emitted. */
  readonly logs?: SignalAccounts
}

/**
 * What becomes of spans, in the control block: there it outlives the thread that does the accounts, and every thread can read it. A span
 * is made, waits in the queue, is submitted to an exporter, is delivered; and can be dropped at either place. Log records have accounts
 * of their own.
 */
export class Accounts {
  private readonly words: BigUint64Array

  constructor(control: SharedArrayBuffer, signal: Signal = 'spans') {
    this.words = new BigUint64Array(control, signal === 'spans' ? ACCOUNTS : LOG_ACCOUNTS, WORDS)
  }

  /** For the one thread that does the accounts: begins them, or goes on where one that died has left them. What it had is lost. */
  open(): this {
    Atomics.compareExchange(this.words, SINCE, 0n, unixNano(now()))
    this.drop('queue', 'collector', this.queued)
    this.drop('exporter', 'collector', this.inFlight)
    return this
  }

  private get(index: number): number {
    return Number(Atomics.load(this.words, index))
  }

  private add(index: number, count: number): void {
    Atomics.add(this.words, index, BigInt(count))
  }

  make(count: number): void {
    this.add(MADE, count)
  }

  submit(count: number): void {
    this.add(SUBMITTED, count)
  }

  deliver(count: number): void {
    this.add(DELIVERED, count)
  }

  drop(stage: Stage, cause: string, count: number): void {
    const known = CAUSES.indexOf(cause)
    this.add(CAUSE[stage] + (known < 0 ? CAUSES.length - 1 : known), count)
  }

  /** When they were begun, in nanoseconds since the epoch. */
  get since(): bigint {
    return Atomics.load(this.words, SINCE)
  }

  get made(): number {
    return this.get(MADE)
  }

  /** Spans that an exporter was given. */
  get submitted(): number {
    return this.get(SUBMITTED)
  }

  get delivered(): number {
    return this.get(DELIVERED)
  }

  /** What was given up at a stage by cause, `SPOOLED` among them; none is 0. */
  givenUp(stage: Stage): Map<string, number> {
    const causes = new Map<string, number>()
    CAUSES.forEach((cause, i) => {
      const count = this.get(CAUSE[stage] + i)
      if (count > 0) causes.set(cause, count)
    })
    return causes
  }

  /** Spans that wait for an exporter. */
  get queued(): number {
    return this.made - this.submitted - total(this.givenUp('queue'))
  }

  /** Spans that an exporter has. */
  get inFlight(): number {
    return this.submitted - this.delivered - total(this.givenUp('exporter'))
  }

  /** All of them at once. Figures that grow meanwhile add to what waits: made spans are read last. */
  read(): SignalAccounts {
    const { delivered } = this
    const dropped: Record<string, number> = {}
    let ended = delivered
    for (const stage of ['exporter', 'queue'] as const) {
      for (const [cause, count] of this.givenUp(stage)) {
        dropped[cause] = (dropped[cause] ?? 0) + count
        ended += count
      }
    }
    const { [SPOOLED]: kept = 0, ...rest } = dropped
    const { made } = this
    return { made, delivered, waiting: made - ended, kept, dropped: rest }
  }
}

/** Whether a process accounts for its spans by itself. */
export function isAccounting(control: SharedArrayBuffer): boolean {
  return new Accounts(control).since !== 0n
}

/** What has become of everything, of a process whose control block is given. */
export function readAccounts(control: SharedArrayBuffer): SpanAccounts {
  const spans = new Accounts(control).read()
  const logs = new Accounts(control, 'logs').read()
  return logs.made === 0 ? spans : { ...spans, logs }
}

function total(causes: Map<string, number>): number {
  let sum = 0
  for (const count of causes.values()) sum += count
  return sum
}
