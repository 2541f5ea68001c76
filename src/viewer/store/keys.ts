/** Attributes of a span that the store itself reads, beside those that make a label. */
export const Key = { other: 0, threadId: 1, threadName: 2, http: 3, httpOld: 4, closed: 5, wait: 6 } as const

/** Keys from here on make the span's label; the lower one wins. */
export const FIRST_LABEL = 16

const NAMES: [string, number][] = [
  ['thread.id', Key.threadId],
  ['thread.name', Key.threadName],
  ['http.response.status_code', Key.http],
  ['http.status_code', Key.httpOld],
  ['threadspan.closed', Key.closed],
  ['threadspan.queue.wait', Key.wait],
]

const LABELS = [
  'db.query.text',
  'db.statement',
  'http.route',
  'url.path',
  'http.target',
  'url.full',
  'http.url',
  'messaging.destination.name',
  'rpc.method',
  'file.path',
  'code.function.name',
]

const byLength = new Map<number, { bytes: Buffer; key: number }[]>()
for (const [name, key] of [...NAMES, ...LABELS.map((name, i): [string, number] => [name, FIRST_LABEL + i])]) {
  const candidates = byLength.get(name.length) ?? []
  candidates.push({ bytes: Buffer.from(name), key })
  byLength.set(name.length, candidates)
}

/** Which attribute of interest the `length` bytes at `at` name: a `Key`, a label from `FIRST_LABEL`, or `Key.other`. */
export function keyAt(bytes: Buffer, at: number, length: number): number {
  const candidates = byLength.get(length)
  if (candidates === undefined) return Key.other
  for (const candidate of candidates) {
    let i = length - 1
    while (i >= 0 && candidate.bytes[i] === bytes[at + i]) i--
    if (i < 0) return candidate.key
  }
  return Key.other
}

/** Bytes at a key's end that tell it from others of its length. */
const TELLING = 6

/** One of 64 bits for the key whose `length` bytes are at `at`. Other keys may have the same. */
export function keyBit(bytes: Uint8Array, at: number, length: number): number {
  let hash = 0x811c9dc5 ^ length
  for (let i = at + Math.max(0, length - TELLING); i < at + length; i++)
    hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return Math.imul(hash, 0x9e3779b1) >>> 26
}
