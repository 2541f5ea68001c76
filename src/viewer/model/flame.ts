import { nameOf, serviceOf, type Trace } from './trace.js'

/** Spans with the same names on the way from the root, laid together. */
export interface FlameNode {
  readonly name: string
  readonly service: string
  readonly depth: number
  readonly up: number
  count: number
  /** Milliseconds of self time in these spans and all below. What ran in parallel adds up, and so parts never exceed the whole. */
  busy: number
  /** Of it in these spans themselves. */
  self: number
  /** Milliseconds from the left edge at which it is drawn. */
  left: number
  readonly children: number[]
}

/** Merges a trace by names; the first node is the whole. Parents come before their children, siblings the busiest first. */
export function flame(trace: Trace, self: Float64Array): FlameNode[] {
  const whole: FlameNode = {
    name: 'All',
    service: '',
    depth: 0,
    up: -1,
    count: 0,
    busy: 0,
    self: 0,
    left: 0,
    children: [],
  }
  const nodes = [whole]
  const ofSpan = new Int32Array(trace.size)
  const known = new Map<string, number>()
  for (const span of trace.tree.preorder) {
    const above = trace.tree.up[span]!
    const up = above < 0 ? 0 : ofSpan[above]!
    const service = serviceOf(trace, span)
    const key = `${up} ${service}\n${nameOf(trace, span)}`
    let at = known.get(key)
    if (at === undefined) {
      at = nodes.length
      known.set(key, at)
      const depth = nodes[up]!.depth + 1
      nodes.push({
        name: nameOf(trace, span),
        service,
        depth,
        up,
        count: 0,
        busy: 0,
        self: 0,
        left: 0,
        children: [],
      })
      nodes[up]!.children.push(at)
    }
    ofSpan[span] = at
    nodes[at]!.count++
    nodes[at]!.self += self[span]!
  }
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!
    node.busy += node.self
    if (node.up >= 0) nodes[node.up]!.busy += node.busy
  }
  for (const node of nodes) {
    node.children.sort((a, b) => nodes[b]!.busy - nodes[a]!.busy)
    let left = node.left
    for (const child of node.children) {
      nodes[child]!.left = left
      left += nodes[child]!.busy
    }
  }
  return nodes
}
