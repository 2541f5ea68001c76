/** An instrumentation scope in the form it travels in: encoded once, then named by a number in the ring. */
export interface ScopeHandle {
  readonly name: string
  /** The encoded `InstrumentationScope` message. */
  readonly encoded: Uint8Array
  readonly schemaUrl: string
  /** Its number in the sink, or -1 as long as it was not announced there. */
  id: number
}
