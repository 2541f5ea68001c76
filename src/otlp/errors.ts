/** What is wrong with a body: every way in which OTLP data can be unreadable has this one code. */
export const MALFORMED = 'THREADSPAN_OTLP_MALFORMED'

/** Thrown by every OTLP decoder, for protobuf and JSON alike, and by nothing else. */
export class OtlpError extends Error {
  override readonly name = 'OtlpError'
  /** Always `THREADSPAN_OTLP_MALFORMED`. */
  readonly code = MALFORMED

  /** @param reason What is wrong and where, as part of a sentence: `"length 80 at byte 12 exceeds the message"`. */
  constructor(reason: string) {
    super(`Malformed OTLP data: ${reason}`)
  }
}
