/** Rows by the time they become free, in a segment tree of minima: finds the topmost free row from a given one on. */
export class FreeRows {
  #leaves = 8
  #least = new Float64Array(16).fill(Number.NEGATIVE_INFINITY)

  /** Takes the topmost row from `from` on that is free at `start`, until `end`; returns it. */
  take(from: number, start: number, end: number): number {
    while (from >= this.#leaves) this.#grow()
    let row = this.#topmost(1, 0, this.#leaves, from, start)
    while (row < 0) {
      this.#grow()
      row = this.#topmost(1, 0, this.#leaves, from, start)
    }
    // A span of no length still takes its row: two at the same instant must not cover each other.
    this.#set(row, end > start ? end : nextUp(end))
    return row
  }

  #topmost(node: number, low: number, width: number, from: number, limit: number): number {
    if (low + width <= from || this.#least[node]! > limit) return -1
    if (width === 1) return low
    const half = width >>> 1
    const left = this.#topmost(node * 2, low, half, from, limit)
    return left >= 0 ? left : this.#topmost(node * 2 + 1, low + half, half, from, limit)
  }

  #set(row: number, value: number): void {
    let node = this.#leaves + row
    this.#least[node] = value
    for (node >>>= 1; node >= 1; node >>>= 1) {
      this.#least[node] = Math.min(this.#least[node * 2]!, this.#least[node * 2 + 1]!)
    }
  }

  #grow(): void {
    const old = this.#least.subarray(this.#leaves)
    this.#leaves *= 2
    const grown = new Float64Array(this.#leaves * 2).fill(Number.NEGATIVE_INFINITY)
    grown.set(old, this.#leaves)
    for (let node = this.#leaves - 1; node >= 1; node--) {
      grown[node] = Math.min(grown[node * 2]!, grown[node * 2 + 1]!)
    }
    this.#least = grown
  }
}

/** Just after an instant: a nanosecond, the finest step that the wire has. */
function nextUp(time: number): number {
  return time + 1e-6
}
