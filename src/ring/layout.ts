/**
 * The shared memory of one thread, as both sides see it:
 *
 *   header | scopes | ring of records | table of open spans
 *
 * The scopes lie one behind the other, numbered from 0: `SS SS UU UU`, an encoded InstrumentationScope of SS bytes, its schema
 * URL of UU bytes, padding to a multiple of 4. They stay, so that every reader finds them, also one that comes late.
 *
 * The ring carries a stream of records, each a multiple of 4 bytes long. What a record is, its first byte says:
 *
 *   12  a finished span: a complete `ScopeSpans.spans` field (tag, length in three bytes, Span)
 *   0b  a value that was measured: length in three bytes, then `metrics/measurement.ts`
 *   0c  a log record: length in three bytes, then `logs/record.ts`
 *   01  from here on spans belong to scope NN NN: `01 NN NN 00`
 *   00  nothing up to the end of the ring: `00 00 00 00`
 *
 * Positions in the ring are 32-bit counters that run on past its end; a power of two as capacity makes them offsets.
 */

/** Indexes of header words. Those that different threads write are a cache line or more apart. */
export const HEAD = 0
/** The position that lies at the ring's beginning; changes only while the ring is empty. */
export const ORIGIN = 1
export const TAIL = 16
/** The scope of the record before the tail. */
export const READ_SCOPE = 17
/** Finished spans that the thread could not write, per cause. */
export const DROPPED_FULL = 33
export const DROPPED_LARGE = 34
export const DROPPED_UNENCODABLE = 38
/** Added to these words: the same of log records. */
export const OF_LOGS = 6
/** Spans that started while the table of open spans was full: recorded, but not closed should the thread die. */
export const UNTRACKED = 35
/** Slots of the table that were ever in use; none behind them needs to be looked at. */
export const SLOTS_USED = 36
/** Bytes of the scopes' area that are in use. */
export const SCOPES_USED = 37
/** How much of the losses has been reported. */
export const REPORTED_FULL = 18
export const REPORTED_LARGE = 19
export const REPORTED_UNENCODABLE = 20
/** Added to these words: the same of log records. */
export const REPORTED_OF_LOGS = 3
/** Set by the reader when the process is about to end: what is written from now on is read by nobody. */
export const SEALED = 48
/** Set by the reader when it is done with a thread that is gone: its memory may serve another one. */
export const DISPOSED = 49

export const HEADER_BYTES = 256
/** Room for the scopes: about a thousand of the usual size. */
export const SCOPES_BYTES = 65536
/** Where the ring begins. */
export const RING_START = HEADER_BYTES + SCOPES_BYTES

export const RECORD_SPAN = 0x12
export const RECORD_SCOPE = 0x01
export const RECORD_MEASURED = 0x0b
export const RECORD_LOG = 0x0c
export const RECORD_WRAP = 0x00

/** Words of a slot's head: its state, length of the encoded start, scope, ring position behind the concluding record. */
export const SLOT_STATE = 0
export const SLOT_LENGTH = 1
export const SLOT_SCOPE = 2
export const SLOT_END = 3

export const FREE = 0
export const OPEN = 1
/** The concluding record lies in the ring up to position SLOT_END; published if the head has got there. */
export const CLOSING = 2

/** Words of the control block that all threads of a process share. */
export const WAKE = 0
/** What the collector is doing: AWAKE, ASLEEP until somebody has something for it, or ABSENT, not started yet or dead. */
export const STATE = 16
export const FLUSH_WANTED = 32
export const FLUSH_DONE = 48
/** The number that the next thread gets. */
export const NEXT_THREAD = 56
/**
 * Whether the collector has begun its work: NOT_YET, BEGUN, HELD by a process that ends and tries without it, or DISMISSED by one that
 * ends and needs none.
 */
export const WORK = 57
/** Whether it was said what became of the spans when the process ended: UNTOLD, BEING_TOLD or HAS_BEEN_TOLD. */
export const TOLD = 58
/** How many collectors have ended by an error. Who waits for FLUSH_DONE is woken then. */
export const FALLEN = 59
/** Three words by which all threads move their clock's anchor together (`core/clock.ts`). */
export const CLOCK = 60
/**
 * A word for each of SIGNALS: whether the program listens to it, whether a listener was told of it, and above that how often
 * one was added.
 */
export const SIGNALS_AT = 64
/** The number of the last round in which threads are asked what they say only when asked: metrics' observable instruments. */
export const OBSERVE = 81
/** Not 0 where the process measures: its Workers do so as well. */
export const MEASURES = 82
/** Not 0 where each value goes to surfacers: BY_NAME, in a thread of theirs; BY_CODE, in the main thread; ABOVE, in an ancestor's. */
export const SURFACES = 83
export const BY_NAME = 1
export const BY_CODE = 2
export const ABOVE = 4
/** Values and ends of transactions that surfacers were not told: there was no room, or they were too slow. */
export const UNSURFACED = 84
/** Not 0 where the main thread hands the spans to an SDK of the application's. */
export const HANDOVER = 80
/**
 * Not 0 where settings can change while the process runs: a number that is odd while they are being written, and another one behind
 * that. Then the length of their text (`settings.ts`).
 */
export const SETTINGS = 112
/** The first number: nothing has come yet. */
export const NOTHING_YET = 2
/** The byte at which the accounts begin, kept here lest they die with the collector: words of 64 bits (`accounts.ts`). */
export const ACCOUNTS = 512
/** Those of log records. */
export const LOG_ACCOUNTS = 1024
/** The byte at which the text of the settings begins. */
export const SETTINGS_TEXT = 2048
/** The byte at which the words begin by which signals cross between threads (`context/deadlines/cells.ts`), and how many there are. */
export const SIGNALS_CROSS = 16384
export const SIGNAL_WORDS = 16 + 4096
/** Bytes of the text of the settings at most. */
export const SETTINGS_BYTES = SIGNALS_CROSS - SETTINGS_TEXT
export const CONTROL_BYTES = SIGNALS_CROSS + 4 * SIGNAL_WORDS

export const AWAKE = 0
export const ASLEEP = 1
export const ABSENT = 2
/** The collector runs, and the main thread, which hands its spans on by itself until then, may give it its ring. */
export const READY = 3

export const NOT_YET = 0
export const BEGUN = 1
export const DISMISSED = 2
export const HELD = 3

/** Signals whose default ends a process, and that come from outside. At most 16. */
export const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGXCPU'] as const
export const HAS_LISTENER = 1
export const WAS_HEARD = 2
export const LISTENER_ADDED = 4

export const UNTOLD = 0
export const BEING_TOLD = 1
export const HAS_BEEN_TOLD = 2

/** The memory of one thread. */
export interface ThreadMemory {
  readonly buffer: SharedArrayBuffer
  /** Bytes of the ring, a power of two. */
  readonly capacity: number
  /** Slots of the open-span table. */
  readonly slots: number
}

/**
 * New memory for a thread. It is all zeros, which the system hands out page by page as it is touched: a large ring costs a
 * quiet thread nothing.
 * @param capacity Bytes for the ring; rounded up to a power of two.
 * @param slots How many spans may be open at once and still be closed if the thread dies.
 * @returns undefined where the engine has no `SharedArrayBuffer`.
 */
export function allocate(capacity: number, slots: number, slotSize: number): ThreadMemory | undefined {
  if (typeof SharedArrayBuffer === 'undefined') return undefined
  const size = 2 ** Math.ceil(Math.log2(Math.max(capacity, 65536)))
  return { buffer: new SharedArrayBuffer(RING_START + size + slots * slotSize), capacity: size, slots }
}

/**
 * Makes the memory of a thread that is gone as good as new. Threads that come and go are better off with it than with memory of their own: the C
 * library clears every byte of a piece that it had before, and keeps what is given back.
 * @returns False where it is read yet, and so is left as it is.
 */
export function renew({ buffer, capacity }: ThreadMemory, slotSize: number): boolean {
  const words = new Int32Array(buffer)
  if (Atomics.load(words, DISPOSED) === 0) return false
  new Uint8Array(buffer, RING_START + capacity, words[SLOTS_USED]! * slotSize).fill(0)
  words.fill(0, 0, HEADER_BYTES >> 2)
  return true
}
