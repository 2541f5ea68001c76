/** Connects a process's relay with the application's SDK, once there is one that takes spans. */
import { monotonicNow } from '../core/clock.js'
import { FLUSH_DONE } from '../ring/layout.js'
import { HandoverReceiver } from './handover-receiver.js'
import { findProcessors, flushProcessors, provideSpans } from './processors.js'
import type { Reading } from './reading.js'

/** What is needed of the process's relay. */
export interface HandingRelay {
  readonly control: Int32Array
  readonly connection: { readonly channel: string }
  /** Asks the collector for what has been written; what `FLUSH_DONE` will be then. */
  requestFlush(): number | undefined
  /** Whether there is, or was, anything to deliver. */
  hasSpans(): boolean
  flush(): Promise<void>
}

/** Milliseconds that a flush at the end of the process waits at most for what other threads have written. */
const TIMEOUT = 1000
/** Milliseconds between two looks at what the collector has posted, which waits for it to be taken. */
const SLICE = 2

/** What ties a process to the application's SDK. */
export interface SdkLink {
  /** A TracerProvider has been registered: looks for its processors. */
  registered(provider: unknown): void
  /** Hands over what the relay has flushed. */
  settle(): Promise<void>
  /** The process ends, and the relay has handed over all it had. */
  finish(): void
}

/**
 * Once in the main thread of a process that exports. Costs nothing until processors are known.
 *
 * @param loadReading Called then.
 */
export function joinSdk(relay: HandingRelay, loadReading: () => Reading): SdkLink {
  let receiver: HandoverReceiver | undefined
  let registered: { provider: unknown } | undefined
  const look = () => {
    const { provider } = registered ?? {}
    registered = undefined
    if (provider !== undefined) findProcessors(provider)
  }
  provideSpans({
    known() {
      receiver ??= new HandoverReceiver(relay.control, relay.connection.channel, loadReading())
    },
    take() {
      look()
      if (receiver === undefined || !relay.hasSpans()) return undefined
      const from = receiver
      return relay.flush().then(() => from.settle())
    },
    takeNow() {
      look()
      const wanted = receiver === undefined ? undefined : relay.requestFlush()
      if (receiver === undefined || wanted === undefined) return
      const { control } = relay
      const until = monotonicNow() + TIMEOUT
      for (;;) {
        const done = Atomics.load(control, FLUSH_DONE)
        receiver.drain()
        if (done >= wanted || monotonicNow() >= until) return
        Atomics.wait(control, FLUSH_DONE, done, SLICE)
      }
    },
  })
  return {
    registered(provider) {
      registered = { provider }
      // The API sets the delegate, where the processors are, right after it has registered.
      queueMicrotask(look)
    },
    async settle() {
      await receiver?.settle()
    },
    finish() {
      if (receiver === undefined) return
      receiver.drain()
      void flushProcessors()
    },
  }
}
