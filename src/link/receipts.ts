/** How far a link's content has been delivered, while pieces of it are on their way and come back in any order. */
interface Receipt {
  readonly end: number
  settled: boolean
}

export class LinkReceipts {
  private pending: Receipt[] = []
  private read: number

  /** @param position Up to where everything was delivered before; positions are bytes of the file. */
  constructor(private position: number) {
    this.read = position
  }

  /** Up to where everything has been delivered or dropped for good. */
  get acknowledged(): number {
    return this.position
  }

  /** Whether nothing is on its way. */
  get isSettled(): boolean {
    return this.pending.length === 0
  }

  /** The file has been read up to here: with nothing on its way, what has been read is done with. */
  advance(read: number): void {
    this.read = read
    if (this.isSettled) this.position = Math.max(this.position, read)
  }

  /**
   * A receipt for spans that stand for the file's content up to `end`.
   * @returns To be called when they were delivered or dropped for good.
   */
  make(end: number): () => void {
    const receipt: Receipt = { end, settled: false }
    this.pending.push(receipt)
    return () => this.settle(receipt)
  }

  private settle(receipt: Receipt): void {
    receipt.settled = true
    let done = 0
    while (done < this.pending.length && this.pending[done]!.settled) done++
    if (done === 0) return
    this.position = this.pending[done - 1]!.end
    this.pending = this.pending.slice(done)
    this.advance(this.read)
  }
}
