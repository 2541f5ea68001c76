// Random and mutated input, the same for the same state.

let state = 0

/** What the next numbers follow from. */
export function setState(to) {
  state = to
}

export function getState() {
  return state
}

/** mulberry32 */
export function random() {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
export const below = (limit) => Math.floor(random() * limit)
export const pick = (list) => list[below(list.length)]

const CHARACTERS = [
  ...'0123456789abcdef-=,;%:{}[]"\\\'/. \t\n\r\0GZ~',
  'ä',
  '€',
  '\ud800',
  '𝄞',
  '__proto__',
  '00-',
  'NaN',
  '1e999',
]
export const text = (length = below(80)) => Array.from({ length }, () => pick(CHARACTERS)).join('')

export function mutatedText(original) {
  let result = original
  for (let i = below(4); i >= 0; i--) {
    const at = below(result.length + 1)
    const cut = below(3)
    result = result.slice(0, at) + (random() < 0.7 ? pick(CHARACTERS) : '') + result.slice(at + cut)
    if (random() < 0.02) result = result.repeat(1 + below(200))
  }
  return result
}

export function mutatedBytes(original) {
  const bytes = Buffer.from(original)
  for (let i = below(8); i >= 0; i--) {
    if (bytes.length === 0) break
    const at = below(bytes.length)
    const kind = below(4)
    if (kind < 2) bytes[at] = below(256)
    else if (kind === 2) bytes.writeUInt8(pick([0, 1, 127, 128, 255]), at)
    else bytes.copyWithin(at, below(bytes.length), below(bytes.length))
  }
  return random() < 0.3 ? bytes.subarray(0, below(bytes.length)) : bytes
}
