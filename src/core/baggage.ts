import {
  type Baggage,
  type BaggageEntry,
  baggageEntryMetadataFromString,
  propagation,
} from '@opentelemetry/api'
import { attempt } from './attempt.js'
import { count } from './counters.js'

/** Members of one baggage, in and out: the grammar's own maximum; the specification wants at least 64 to be carried on. */
const MAX_MEMBERS = 180

/** Bytes of one baggage, in and out, commas included: what the specification wants to be carried on at least. */
const MAX_BYTES = 8192

/** The counter of members that are none. */
const MEMBER = 'baggage.member'

/** `token` of RFC 7230, section 3.2.6. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** `value` of the baggage grammar. */
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/
/** What may not stand in a `value` as it is. */
const NOT_VALUE = /[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+/gu
const LONE_SURROGATE = /\p{Surrogate}/gu

/**
 * Reads a `baggage` header value (W3C Baggage, "Header Content").
 *
 * Members that break the grammar, or go beyond 180 members or 8192 bytes, are left out and counted. Of members with the same key the
 * last counts. Properties become the entry's metadata, as they came.
 *
 * @returns undefined where no member is left.
 */
export function parseBaggage(header: string): Baggage | undefined {
  const entries: Record<string, BaggageEntry> = Object.create(null)
  let members = 0
  let bytes = 0
  for (let start = 0; start <= header.length; ) {
    let end = header.indexOf(',', start)
    if (end === -1) end = header.length
    if (members === MAX_MEMBERS || bytes + end - start > MAX_BYTES) {
      count('baggage.limit')
      break
    }
    bytes += end - start + 1
    const text = header.slice(start, end).trim()
    start = end + 1
    if (text === '') continue
    const member = parseMember(text)
    if (member === undefined) {
      count(MEMBER)
      continue
    }
    entries[member.key] = member.entry
    members++
  }
  return members === 0 ? undefined : propagation.createBaggage(entries)
}

function parseMember(text: string): { key: string; entry: BaggageEntry } | undefined {
  const semicolon = text.indexOf(';')
  const pair = semicolon === -1 ? text : text.slice(0, semicolon)
  const equals = pair.indexOf('=')
  if (equals === -1) return undefined
  const key = pair.slice(0, equals).trim()
  const value = pair.slice(equals + 1).trim()
  if (!TOKEN.test(key) || !VALUE.test(value)) return undefined
  const entry: BaggageEntry = { value: percentDecode(value) }
  const properties = semicolon === -1 ? '' : encodeProperties(text.slice(semicolon + 1))
  if (properties !== '') entry.metadata = baggageEntryMetadataFromString(properties)
  return { key, entry }
}

/**
 * The `baggage` header value of a baggage (W3C Baggage, "Header Content" and "Limits").
 *
 * Entries whose name is no token of RFC 7230, whose value is no text, and those that would make it longer than 8192 bytes or 180 members, are left
 * out and counted. Never throws: anything can lie in a context in the place of a baggage.
 *
 * @returns the empty string where there is nothing to send.
 */
export function formatBaggage(baggage: Baggage): string {
  let text = ''
  let members = 0
  for (const [key, entry] of attempt(() => [...baggage.getAllEntries()], MEMBER) ?? []) {
    if (typeof key !== 'string' || !TOKEN.test(key)) {
      count('baggage.name')
      continue
    }
    const member = attempt(() => formatMember(key, entry), MEMBER)
    if (member === undefined) continue
    const length = text.length + member.length + (members === 0 ? 0 : 1)
    if (members === MAX_MEMBERS || length > MAX_BYTES) {
      count('baggage.limit')
      continue
    }
    text += members === 0 ? member : `,${member}`
    members++
  }
  return text
}

function formatMember(key: string, entry: BaggageEntry): string {
  const { value } = entry as { value: unknown }
  // A list may say that it has billions of elements, and would be gone through.
  if (Array.isArray(value)) throw new TypeError('no text')
  const member = `${key}=${percentEncode(String(value))}`
  if (entry.metadata === undefined) return member
  const properties = encodeProperties(entry.metadata.toString())
  return properties === '' ? member : `${member};${properties}`
}

/**
 * Properties as a header may hold them. They are free text in OpenTelemetry's API: what would end the member or the header is percent-encoded
 * in a property's value, and costs a property its place in its key. What is encoded already stays so.
 */
function encodeProperties(text: string): string {
  let result = ''
  for (const part of text.split(';')) {
    const property = part.trim()
    if (property === '') continue
    const equals = property.indexOf('=')
    const key = equals === -1 ? property : property.slice(0, equals).trimEnd()
    if (!TOKEN.test(key)) {
      count('baggage.property')
      continue
    }
    const encoded =
      equals === -1
        ? key
        : `${key}=${property
            .slice(equals + 1)
            .trimStart()
            .replace(NOT_VALUE, percentEncode)}`
    result += result === '' ? encoded : `;${encoded}`
  }
  return result
}

function percentEncode(text: string): string {
  return encodeURIComponent(text.replace(LONE_SURROGATE, '\ufffd'))
}

/** Octets that are no UTF-8 become U+FFFD, as the specification wants it; a percent sign that starts no octet stays. */
function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replace(/(?:%[0-9a-f]{2})+/gi, (octets) =>
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(
        Uint8Array.from(octets.slice(1).split('%'), (octet) => Number.parseInt(octet, 16)),
      ),
    )
  }
}
