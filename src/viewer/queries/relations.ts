import type { Store } from '../store/store.js'
import type { Relation } from '../structure.js'

/** Tells whether a row of a settled trace stands to any of `others`, rows of the same trace, as a relation asks. */
export function relationTo(
  store: Store,
  others: ReadonlySet<number>,
  relation: Relation,
): (row: number) => boolean {
  const { up } = store.columns
  if (relation === '>') return (row) => others.has(up[row]!)
  if (relation === '~') {
    const byParent = new Map<number, number>()
    for (const other of others) byParent.set(up[other]!, (byParent.get(up[other]!) ?? 0) + 1)
    // Roots have no parent, and so no siblings.
    return (row) => up[row]! >= 0 && (byParent.get(up[row]!) ?? 0) > (others.has(row) ? 1 : 0)
  }
  // Each row is walked over once, however deep the trace; who is met again on one way is in a cycle.
  const below = new Map<number, boolean>()
  return (row) => {
    const way: number[] = []
    const seen = new Set<number>()
    let at = row
    let holds = false
    while (at >= 0 && !seen.has(at)) {
      const known = below.get(at)
      if (known !== undefined) {
        holds = known
        break
      }
      seen.add(at)
      way.push(at)
      const parent = up[at]!
      if (others.has(parent)) {
        holds = true
        break
      }
      at = parent
    }
    for (const each of way) below.set(each, holds)
    return holds
  }
}
