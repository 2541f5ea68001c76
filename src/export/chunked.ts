/** What has come of a body, and whether that is all of it. */
export interface PartOfBody {
  readonly body: Uint8Array
  readonly isWhole: boolean
}

/**
 * A body in the chunked transfer coding (RFC 9112, section 7.1), as far as it has come. Extensions and trailers are passed over; what
 * is no chunk ends it.
 */
export function dechunk(bytes: Buffer): PartOfBody {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    const size =
      line === -1 ? undefined : /^[\da-f]{1,8}(?=$|[\t ;])/i.exec(bytes.toString('latin1', at, line))
    if (size === undefined || size === null) return { body: Buffer.concat(chunks), isWhole: size === null }
    const length = Number.parseInt(size[0], 16)
    if (length === 0) return { body: Buffer.concat(chunks), isWhole: true }
    const from = line + 2
    chunks.push(bytes.subarray(from, from + length))
    at = from + length + 2
    if (at > bytes.length) return { body: Buffer.concat(chunks), isWhole: false }
  }
}
