/** Mistakes in a name that is still taken for a misspelt one. */
const MOST_EDITS = 2

/**
 * Letters to add, leave out, replace or swap with the next until `a` is `b`.
 *
 * @returns more than `most` where that many do not suffice, which bounds the work.
 */
function edits(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  if (at === a.length || at === b.length) return a.length + b.length - 2 * at
  if (most === 0) return 1
  const less = (c: string, d: string) => edits(c, d, most - 1)
  const [c, d] = [a.slice(at), b.slice(at)]
  const swapped = c[0] === d[1] && c[1] === d[0] ? less(c.slice(2), d.slice(2)) : most
  return 1 + Math.min(swapped, less(c.slice(1), d), less(c, d.slice(1)), less(c.slice(1), d.slice(1)))
}

/** What a misspelt name can have meant of those that are known; undefined where none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = MOST_EDITS + 1
  for (const one of known) {
    const distance = edits(name, one, MOST_EDITS)
    if (distance < least) [best, least] = [one, distance]
  }
  return best
}
