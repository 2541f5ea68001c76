import { selfTimes } from './self-time.js'
import { ERROR, nameOf, serviceOf, type Trace } from './trace.js'

/** What the spans with one path of names amount to in one trace. Times are milliseconds. */
export interface Side {
  count: number
  total: number
  self: number
  waited: number
  errors: number
}

/** One line of a comparison: spans with the same service, name and ancestors, on both sides. */
export interface ComparedRow {
  readonly name: string
  readonly service: string
  readonly depth: number
  readonly left: Side
  readonly right: Side
}

interface Node extends ComparedRow {
  readonly nodes: Map<string, Node>
}

/**
 * Lays two traces side by side: spans are matched by service and name along the path from the root, since ids differ
 * from run to run. Rows are in preorder; siblings with the greatest change of total time first.
 */
export function compareTraces(left: Trace, right: Trace): ComparedRow[] {
  const root = node('', '', -1)
  add(root, left, 'left')
  add(root, right, 'right')
  const rows: ComparedRow[] = []
  const stack = sorted(root)
  while (stack.length > 0) {
    const { nodes, ...row } = stack.pop()!
    rows.push(row)
    stack.push(...sorted({ nodes }))
  }
  return rows
}

function add(root: Node, trace: Trace, side: 'left' | 'right'): void {
  const self = selfTimes(trace)
  const nodes = new Array<Node>(trace.size)
  for (const span of trace.tree.preorder) {
    const above = trace.tree.up[span]!
    const parent = above < 0 ? root : nodes[above]!
    const name = nameOf(trace, span)
    const service = serviceOf(trace, span)
    const key = `${service}\n${name}`
    let here = parent.nodes.get(key)
    if (here === undefined) {
      here = node(name, service, parent.depth + 1)
      parent.nodes.set(key, here)
    }
    nodes[span] = here
    const sum = here[side]
    sum.count++
    sum.total += trace.end[span]! - trace.start[span]!
    sum.self += self[span]!
    sum.waited += trace.wait[span]!
    if ((trace.flags[span]! & ERROR) !== 0) sum.errors++
  }
}

function node(name: string, service: string, depth: number): Node {
  const side = (): Side => ({ count: 0, total: 0, self: 0, waited: 0, errors: 0 })
  return { name, service, depth, left: side(), right: side(), nodes: new Map() }
}

/** Smallest change first: the stack takes them from the end. */
function sorted({ nodes }: Pick<Node, 'nodes'>): Node[] {
  const change = ({ left, right }: Node): number => Math.abs(right.total - left.total)
  return [...nodes.values()].sort((a, b) => change(a) - change(b))
}
