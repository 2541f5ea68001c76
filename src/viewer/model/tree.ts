/**
 * The tree over the spans of a trace, in flat arrays: no object per span, and no recursion, since a trace can be as deep
 * as it has spans.
 */
export interface Tree {
  /** Index of the parent in the tree, -1 for a root. Orphans are roots, and so is the span where a cycle was cut. */
  readonly up: Int32Array
  /** Children of span i: `children[first[i]]` up to `children[first[i + 1] - 1]`, ascending. */
  readonly first: Int32Array
  readonly children: Int32Array
  readonly roots: Int32Array
  /** 0 for a root. */
  readonly depth: Int32Array
  /** All spans, parents before their children, siblings ascending. */
  readonly preorder: Int32Array
  /** Spans below span i, at any depth. Those of `preorder[p]` stand at `p + 1` to `p + below`. */
  readonly below: Int32Array
  /** Position of span i in `preorder`. */
  readonly position: Int32Array
  /** Members of cycles: spans that are, by their parents' word, their own ancestors. */
  readonly cyclic: readonly number[]
}

/**
 * Builds the tree from rows.
 * @param parent index of the parent by span; negative: none. Every index must be below `parent.length`.
 */
export function growTree(parent: Int32Array): Tree {
  const size = parent.length
  const up = Int32Array.from(parent, (above) => (above < 0 ? -1 : above))
  const cyclic = cutCycles(up)

  const first = new Int32Array(size + 1)
  let rootCount = 0
  for (let i = 0; i < size; i++) {
    if (up[i]! < 0) rootCount++
    else first[up[i]! + 1]!++
  }
  for (let i = 0; i < size; i++) first[i + 1]! += first[i]!
  const children = new Int32Array(size - rootCount)
  const roots = new Int32Array(rootCount)
  const next = first.slice(0, size)
  let root = 0
  for (let i = 0; i < size; i++) {
    const above = up[i]!
    if (above < 0) roots[root++] = i
    else children[next[above]!++] = i
  }

  const preorder = new Int32Array(size)
  const position = new Int32Array(size)
  const depth = new Int32Array(size)
  const stack = new Int32Array(size)
  let height = 0
  for (let i = rootCount - 1; i >= 0; i--) stack[height++] = roots[i]!
  let at = 0
  while (height > 0) {
    const span = stack[--height]!
    position[span] = at
    preorder[at++] = span
    for (let c = first[span + 1]! - 1; c >= first[span]!; c--) {
      const child = children[c]!
      depth[child] = depth[span]! + 1
      stack[height++] = child
    }
  }

  const below = new Int32Array(size)
  for (let p = size - 1; p >= 0; p--) {
    const span = preorder[p]!
    if (up[span]! >= 0) below[up[span]!]! += below[span]! + 1
  }
  return { up, first, children, roots, depth, preorder, below, position, cyclic }
}

/** Makes a root of the earliest span of each cycle, and returns all that were on one. */
function cutCycles(up: Int32Array): number[] {
  const size = up.length
  const cyclic: number[] = []
  // 0: not seen; otherwise the number of the walk that saw it first.
  const seen = new Int32Array(size)
  for (let i = 0; i < size; i++) {
    let span = i
    while (span >= 0 && seen[span] === 0) {
      seen[span] = i + 1
      span = up[span]!
    }
    if (span < 0 || seen[span] !== i + 1) continue
    let earliest = span
    let member = span
    do {
      cyclic.push(member)
      earliest = Math.min(earliest, member)
      member = up[member]!
    } while (member !== span)
    up[earliest] = -1
  }
  return cyclic
}

/**
 * The rows to show, top to bottom, given what is folded.
 * @param folded 1 for a span whose descendants are hidden.
 * @param isHidden whether a span without children is hidden itself
 */
export function visibleRows(
  tree: Tree,
  folded: Uint8Array,
  isHidden: (span: number) => boolean = () => false,
): Int32Array {
  const { preorder, below } = tree
  const rows = new Int32Array(preorder.length)
  let count = 0
  for (let p = 0; p < preorder.length; ) {
    const span = preorder[p]!
    if (tree.below[span] !== 0 || !isHidden(span)) rows[count++] = span
    p += folded[span] === 1 ? below[span]! + 1 : 1
  }
  return rows.subarray(0, count)
}
