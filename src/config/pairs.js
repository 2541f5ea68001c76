/**
 * Lists of the form `key1=value1,key2=value2`, as in `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS`:
 * W3C Baggage without metadata, blanks around keys and values trimmed, both percent-decoded as UTF-8.
 */
/** Reads a list. A later member with the same key replaces an earlier one. */
export function parsePairs(list) {
  const entries = new Map()
  let malformed = 0
  for (const member of list.split(',')) {
    if (member.trim() === '') continue
    // Values such as Base64 hold "=" of their own.
    const equals = member.indexOf('=')
    try {
      const key = decodeURIComponent(member.slice(0, Math.max(equals, 0)).trim())
      if (key === '') malformed++
      else entries.set(key, decodeURIComponent(member.slice(equals + 1).trim()))
    } catch {
      malformed++
    }
  }
  return { entries, malformed }
}
