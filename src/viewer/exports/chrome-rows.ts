/** A track of a thread in a Chrome trace. */
export interface Row {
  /** From 0 on, within the thread. */
  readonly index: number
  /** The spans that are open on it, the innermost last, and when each ends. */
  readonly open: { span: number; end: number }[]
}

/**
 * Lays the spans of one thread on tracks on which they nest, as complete events of a Chrome trace must: a span lies on its parent's track
 * where it is the innermost one there, and else on a track where nothing is open. What merely runs at the same time never looks like a
 * child.
 */
export class ChromeRows {
  #rows = 0
  /** Where a span that is open lies. */
  readonly #place = new Map<number, Row>()
  /** A heap of all rows by when they become free. */
  readonly #heap: { row: Row; free: number }[] = []

  /** @param start When it starts: never before the one that was taken last. @returns its track, the span open on it. */
  take(span: number, parent: number, start: number, end: number): Row {
    let row = this.#below(parent, start, end)
    if (row === undefined) {
      row = this.#empty(start, end)
      this.#close(row, start)
    }
    row.open.push({ span, end })
    this.#place.set(span, row)
    return row
  }

  #below(parent: number, start: number, end: number): Row | undefined {
    const row = this.#place.get(parent)
    if (row === undefined) return undefined
    this.#close(row, start)
    const innermost = row.open.at(-1)
    return innermost?.span === parent && end <= innermost.end ? row : undefined
  }

  #empty(start: number, end: number): Row {
    const first = this.#heap[0]
    if (first !== undefined && first.free <= start) {
      first.free = end
      this.#sink()
      return first.row
    }
    const row: Row = { index: this.#rows++, open: [] }
    this.#heap.push({ row, free: end })
    this.#rise()
    return row
  }

  #close(row: Row, now: number): void {
    for (let last = row.open.at(-1); last !== undefined && last.end <= now; last = row.open.at(-1)) {
      row.open.pop()
      this.#place.delete(last.span)
    }
  }

  #rise(): void {
    const heap = this.#heap
    for (let at = heap.length - 1; at > 0; ) {
      const up = (at - 1) >>> 1
      if (heap[up]!.free <= heap[at]!.free) return
      ;[heap[up], heap[at]] = [heap[at]!, heap[up]!]
      at = up
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let at = 0; ; ) {
      let least = at
      for (const down of [2 * at + 1, 2 * at + 2]) {
        if (down < heap.length && heap[down]!.free < heap[least]!.free) least = down
      }
      if (least === at) return
      ;[heap[least], heap[at]] = [heap[at]!, heap[least]!]
      at = least
    }
  }
}
