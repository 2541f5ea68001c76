/**
 * The link between processes: a file in the private folder of the process that exports, to which a descendant appends
 * what it has to say. What was written survives SIGKILL, needs no connection and no thread, and is read by position.
 *
 *   header    `TSPL`, version, and 8 bytes that belong to the reader: up to which position everything has been
 *             delivered, so that an heir neither loses nor repeats it
 *   records   as in the ring (see `layout.ts`), and thirteen more:
 *
 *   02 LL LL LL   a scope: `NN NN SS SS`, its message of SS bytes, its schema URL
 *   03 LL LL LL   a span has started: `NN NN` its scope, then its encoded start
 *   04 LL LL LL   the process's encoded Resource, before any other
 *   05 LL LL LL   a child of this process has ended: its number in 4 bytes, the time in 8, the reason
 *   06 LL LL LL   spans were lost in this process: how many in 4 bytes, the cause
 *
 *   07 LL LL LL   a spool's only: `LL LL LL LL CC CC CC CC` for each of the spans behind it, their lengths and their CRC-32, then
 *                 the CRC-32 of this record before that
 *
 *   08 LL LL LL   an instrument of a thread that measures: `TT TT TT TT NN NN NN NN` the thread and its number there, then its descriptor
 *   09 LL LL LL   a series of it: `TT TT TT TT II II II II NN NN NN NN SS SS SS SS`, its number in the thread and that of the
 *                 instrument, SS bytes of attributes, padding to 4, its cells
 *   0a LL LL LL   the cells of a series as they are now: `TT TT TT TT II II II II`, its cells
 *   0b LL LL LL   a value that was measured: as in the ring
 *   0c LL LL LL   a log record: as in the ring
 *   0d LL LL LL   log records were lost in this process: as 06
 *   0e 00 00 00   the last one: the writer is done with this file
 *
 * A writer goes on in another file after a while, so that what was delivered can be removed while it runs: `NAME_NNNNNN.link` behind
 * `NAME.link`, in the order of their names. It says again there what holds on: scopes, open spans, what was measured.
 *
 * Spools, which keep what could not be delivered until the next start, have the same form.
 */

/** Variables that tell a descendant where it comes from: the folder, and the clock's anchor in nanoseconds. */
export const LINK = 'THREADSPAN_LINK'
export const ANCHOR = 'THREADSPAN_ANCHOR'
/** The mark of where the parent process would have spans go: see `exporterChoice`. */
export const EXPORTER = 'THREADSPAN_EXPORTER'

export const LINK_SUFFIX = '.link'
/** Behind the name of a file whose writer has found another way: what is open in it ends elsewhere. */
export const LEFT_SUFFIX = '-left'
export const LINK_HEADER = 16
/** Where in the header the reader's position lies. */
export const ACKNOWLEDGED_AT = 8

export const LINK_DEFINE = 0x02
export const LINK_OPEN = 0x03
export const LINK_RESOURCE = 0x04
export const LINK_ENDED = 0x05
export const LINK_LOST = 0x06
export const LINK_SUMS = 0x07
export const LINK_INSTRUMENT = 0x08
export const LINK_SERIES = 0x09
export const LINK_CELLS = 0x0a
/** That of the ring. */
export const LINK_MEASURED = 0x0b
/** That of the ring. */
export const LINK_LOG = 0x0c
export const LINK_LOGS_LOST = 0x0d
export const LINK_DONE = 0x0e

const MAGIC = 0x4c505354
const VERSION = 1

/** The header of a new file, nothing of it delivered. */
export function linkHeader(): Buffer {
  const bytes = Buffer.alloc(LINK_HEADER)
  bytes.writeUInt32LE(MAGIC)
  bytes.writeUInt32LE(VERSION, 4)
  bytes.writeBigUInt64LE(BigInt(LINK_HEADER), ACKNOWLEDGED_AT)
  return bytes
}

/** @returns The position up to which a file was delivered, or undefined when the bytes are no header of ours. */
export function acknowledgedIn(header: Buffer): number | undefined {
  if (header.length < LINK_HEADER) return undefined
  if (header.readUInt32LE() !== MAGIC || header.readUInt32LE(4) !== VERSION) return undefined
  const position = header.readBigUInt64LE(ACKNOWLEDGED_AT)
  return position < 2n ** 52n ? Math.max(LINK_HEADER, Number(position)) : undefined
}

/** The head of a record. */
export function recordHead(type: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE((type | (length << 8)) >>> 0)
  return bytes
}
