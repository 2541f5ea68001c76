/**
 * The shared memory of one thread, as both sides see it:
 *
 *   header | ring of records | table of open spans
 *
 * The ring carries a stream of records, each a multiple of 4 bytes long. What a record is, its first byte says:
 *
 *   12  a finished span: a complete `ScopeSpans.spans` field (tag, length in three bytes, Span)
 *   01  from here on spans belong to scope NN NN: `01 NN NN 00`
 *   02  scope NN NN is: `02 LL LL LL`, then `NN NN SS SS`, the scope's message of SS bytes, its schema URL, padding
 *   00  nothing up to the end of the ring: `00 00 00 00`
 *
 * Positions in the ring are 32-bit counters that run on past its end; a power of two as capacity makes them offsets.
 */

/** Indexes of header words. Those that different threads write are a cache line or more apart. */
export const HEAD = 0
/** The position that lies at the ring's beginning; changes only while the ring is empty. */
export const ORIGIN = 1
export const TAIL = 16
/** Finished spans that the thread wrote, and those it could not, per cause. */
export const WRITTEN = 32
export const DROPPED_FULL = 33
export const DROPPED_LARGE = 34
/** Spans that started while the table of open spans was full: recorded, but not closed should the thread die. */
export const UNTRACKED = 35
/** Slots of the table that were ever in use; none behind them needs to be looked at. */
export const SLOTS_USED = 36
/** Set by the reader when the process is about to end: what is written from now on is read by nobody. */
export const SEALED = 48

export const HEADER_BYTES = 256

export const RECORD_SPAN = 0x12
export const RECORD_SCOPE = 0x01
export const RECORD_DEFINE = 0x02
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
/** What the collector is doing: AWAKE, ASLEEP until somebody has something for it, or ABSENT, not started yet. */
export const STATE = 16
export const FLUSH_WANTED = 32
export const FLUSH_DONE = 48
/** The number that the next thread gets. */
export const NEXT_THREAD = 56
export const CONTROL_BYTES = 256

export const AWAKE = 0
export const ASLEEP = 1
export const ABSENT = 2

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
  return { buffer: new SharedArrayBuffer(HEADER_BYTES + size + slots * slotSize), capacity: size, slots }
}
