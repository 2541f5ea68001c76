/** How much the store keeps. */
export interface StoreLimits {
  /** Most spans kept. */
  maxSpans: number
  /** Most bytes kept: encoded spans, columns, traces, resources and scopes together. */
  maxBytes: number
}

/** Why a span was not kept. */
export type Refusal = 'invalid-id' | 'too-large' | 'duplicate' | 'full'

/** What a request brought. Duplicates are not the sender's fault and count as accepted in the answer to it. */
export interface Ingested {
  kept: number
  refused: Record<Refusal, number>
}

/** Hears what is kept and what is let go, in order: the database. Resource and scope are as `headerOf` makes them. */
export interface Journal {
  /** @param start Milliseconds since the epoch. */
  kept(trace: string, resource: Buffer, scope: Buffer, span: Buffer, start: number): void
  evicted(trace: string): void
}
