/** Where a line's record (`record.ts`, form 1) has what: bytes from the start of its content, little-endian. */

/** Nanoseconds since the epoch, in 8 bytes. */
export const TIME = 0
export const TRACE_ID = 8
export const SPAN_ID = 24
export const TRACE_FLAGS = 32
export const SEVERITY = 33
/** The lengths of its texts: those of `LineKeys`, in that order, in 2 bytes each. */
export const TEXT_LENGTHS = 34
/** The length of the attributes of an error, in 4 bytes. */
export const ERROR_LENGTH = 42
export const LINE_LENGTH = 46
/** Whether the error is told of elsewhere: 1 or 0, in 2 bytes. */
export const IS_TOLD = 50
/** The texts, the attributes, the line. */
export const TEXTS = 52
