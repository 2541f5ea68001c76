/** Patterns with `*` for any characters, as Elastic's agents have them: in any case of letters, unless they begin with `(?-i)`. */

const EXACT = '(?-i)'

/** @returns the first of the patterns that matches a text whole, without its `(?-i)`; undefined where none does. Takes linear time. */
export function matcherOf(patterns: readonly string[]): (text: string) => string | undefined {
  const all = patterns.map((pattern) => {
    const isExact = pattern.startsWith(EXACT)
    const shown = isExact ? pattern.slice(EXACT.length) : pattern
    return { shown, isExact, pieces: (isExact ? shown : shown.toLowerCase()).split('*') }
  })
  return (text) => {
    const lower = text.toLowerCase()
    return all.find(({ isExact, pieces }) => matches(pieces, isExact ? text : lower))?.shown
  }
}

function matches(pieces: readonly string[], text: string): boolean {
  const first = pieces[0]!
  if (pieces.length === 1) return text === first
  const last = pieces.at(-1)!
  const end = text.length - last.length
  if (!text.startsWith(first) || end < first.length || !text.endsWith(last)) return false
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at)
    if (found < 0 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
