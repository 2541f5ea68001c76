import type { WaterfallNode, WaterfallTrace } from '../trace/trace.js'

/** A line of the tree: a span, or a number of spans like those before it. */
export type WaterfallRow =
  | { readonly kind: 'span'; readonly branch: string; readonly node: WaterfallNode }
  | { readonly kind: 'fold'; readonly branch: string; readonly nodes: readonly WaterfallNode[] }

/** More siblings of one name than this are folded, */
const FOLD_FROM = 8
/** down to so many: those that failed first, then the longest. */
const FOLD_TO = 4

type Child = { node: WaterfallNode } | { folded: WaterfallNode[] }

/** Siblings as they are listed: of many with one name a few, and the rest of them in one line after the last shown. */
function fold(siblings: readonly WaterfallNode[]): Child[] {
  const byName = new Map<string, WaterfallNode[]>()
  for (const node of siblings) {
    const same = byName.get(node.name)
    if (same === undefined) byName.set(node.name, [node])
    else same.push(node)
  }
  if (byName.size === siblings.length) return siblings.map((node) => ({ node }))

  const hidden = new Set<WaterfallNode>()
  const foldAfter = new Map<WaterfallNode, WaterfallNode[]>()
  for (const same of byName.values()) {
    if (same.length <= FOLD_FROM) continue
    const length = (node: WaterfallNode): number => node.end - node.start
    const best = same.toSorted((a, b) => Number(b.error) - Number(a.error) || length(b) - length(a))
    const shown = new Set(best.slice(0, FOLD_TO))
    const folded = same.filter((node) => !shown.has(node))
    for (const node of folded) hidden.add(node)
    foldAfter.set(same.findLast((node) => shown.has(node))!, folded)
  }
  return siblings.flatMap((node): Child[] => {
    if (hidden.has(node)) return []
    const folded = foldAfter.get(node)
    return folded === undefined ? [{ node }] : [{ node }, { folded }]
  })
}

/** The lines of a trace, at most `limit`, and how many spans are in none of them. */
export function waterfallRows(
  trace: WaterfallTrace,
  limit: number,
): { rows: WaterfallRow[]; omitted: number } {
  const rows: WaterfallRow[] = []
  let omitted = trace.nodes.length
  // Each open child with the branch of its own line and the one that its children continue.
  const open: { child: Child; branch: string; below: string }[] = []
  const add = (children: readonly Child[], above: string, top: boolean): void => {
    for (let i = children.length - 1; i >= 0; i--) {
      const last = i === children.length - 1
      const branch = top ? '' : above + (last ? '╰╴' : '├╴')
      open.push({ child: children[i]!, branch, below: top ? '' : above + (last ? '  ' : '│ ') })
    }
  }
  add(fold(trace.roots), '', true)
  for (let next = open.pop(); next !== undefined && rows.length < limit; next = open.pop()) {
    const { child, branch, below } = next
    if ('node' in child) {
      rows.push({ kind: 'span', branch, node: child.node })
      omitted--
      add(fold(child.node.children), below, false)
    } else {
      rows.push({ kind: 'fold', branch, nodes: child.folded })
      for (const node of child.folded) omitted -= node.size
    }
  }
  return { rows, omitted }
}
