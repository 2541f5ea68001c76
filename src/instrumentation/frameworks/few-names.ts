/** Names that come from outside: as many different ones as backends can take as names of transactions. */
export class FewNames {
  readonly #known = new Set<string>()

  constructor(readonly most = 200) {}

  /** Whether a name is one of the first that were seen in this thread. */
  has(name: string): boolean {
    if (this.#known.has(name)) return true
    if (this.#known.size >= this.most) return false
    this.#known.add(name)
    return true
  }
}
