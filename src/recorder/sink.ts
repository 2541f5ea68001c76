/**
 * Where a thread's recorder writes: one block of shared memory with a ring of finished records and a table of the spans
 * that are open. The recorder encodes straight into it; what the memory is and who reads it, it does not know.
 */
export interface RecordSink {
  /** The memory as bytes and as little-endian 32-bit words; the same positions, `words[i]` is `bytes[4 * i]` onward. */
  readonly bytes: Buffer
  readonly words: Int32Array
  /** The largest record that a reservation can ever be granted for, in bytes. */
  readonly maxRecord: number

  /**
   * Room for one record of at most `size` bytes.
   * @returns The byte position at which to write, a multiple of 4, or -1: there is no room, and the loss has been counted.
   */
  reserve(size: number): number
  /**
   * Publishes the record that starts where the last reservation said and ends before `end` (a multiple of 4).
   * @param slot The open span's slot that this record concludes, or 0.
   */
  commit(end: number, slot: number): void
  /** Counts a finished span that was not written. */
  drop(cause: DropCause): void

  /**
   * A slot of the open-span table.
   * @returns Its byte position, a multiple of 4, never 0; or 0 when the table is full.
   */
  openSlot(): number
  /** Marks a slot's content as complete: `length` bytes from `slot + SLOT_BODY` are the start of an encoded Span. */
  armSlot(slot: number, length: number, scope: number): void
  /** Gives a slot back without a record. */
  freeSlot(slot: number): void

  /**
   * Makes an instrumentation scope known to the reader.
   * @returns Its number, or -1 if the ring had no room; then nothing can be recorded under it yet.
   */
  defineScope(scope: Uint8Array, schemaUrl: string): number
  /** Writes the change of scope that must precede a record, when the record's scope is not that of the one before. */
  readonly currentScope: number
  selectScope(scope: number): boolean
}

/** Why a finished span was not written: the ring stayed full, the record is larger than any ring allows, or encoding it failed. */
export type DropCause = 'ring-full' | 'too-large' | 'unencodable'

/** Bytes of a slot, and where in it the encoded start of the span begins. */
export const SLOT_SIZE = 512
export const SLOT_BODY = 16
