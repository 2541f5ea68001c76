import { ThreadspanError } from '../core/errors.js'

/** Thrown by every OTLP decoder, for protobuf and JSON alike. Its `code` is always `THREADSPAN_OTLP_MALFORMED`. */
export class OtlpError extends ThreadspanError {
  /** @param reason What is wrong and where, as part of a sentence: `"length 80 at byte 12 exceeds the message"`. */
  constructor(reason: string) {
    super('THREADSPAN_OTLP_MALFORMED', `Malformed OTLP data: ${reason}`)
  }
}
