/** The span processors of the application's SDK: those that were handed in, or else those that its TracerProvider keeps. */
import { count } from '../core/counters.js'
import { ThreadspanError } from '../core/errors.js'
import { debug } from '../core/log.js'
import { shared } from '../core/shared.js'
import type { ReadableSpan } from './readable-span.js'
import { isSdkResource, type SdkResource } from './resource.js'

/** What is used of a `SpanProcessor` of `@opentelemetry/sdk-trace` 2 and 3. */
export interface ReceivingProcessor {
  onEnd(span: ReadableSpan): void
  forceFlush?(): Promise<void>
  shutdown?(): Promise<void>
}

/** Where spans from elsewhere come from. None of its functions throws or rejects. */
export interface SpanSource {
  /** Takes over what has been written until now; undefined where that is nothing. */
  take(): Promise<void> | undefined
  /** The same before it returns, for the end of the process. */
  takeNow(): void
  /** Processors have become known. */
  known(): void
}

const state = shared('sdk.processors', () => ({
  handed: new Set<ReceivingProcessor>(),
  found: [] as readonly ReceivingProcessor[],
  source: undefined as SpanSource | undefined,
  resource: undefined as SdkResource | undefined,
  /** A flush of ours has nothing to take: it is what has just been taken that it is about. */
  isFlushing: false,
  /** Those that take over before they flush. */
  prepared: new WeakSet<ReceivingProcessor>(),
}))

/**
 * Hands the spans of Workers and child processes to a span processor of the application's own OpenTelemetry SDK, as finished spans with
 * their own ids, in the main thread. They go to its `onEnd`; none of them is started there, so `onStart` is not called.
 *
 * The processor's `forceFlush` and `shutdown` first take over what other threads have written until then, so that what the
 * application flushes at its end includes them.
 *
 * Where it is not called, the processors of the registered TracerProvider are used, if it keeps them where OpenTelemetry's SDK 2 and 3 do.
 *
 * ```ts
 * const provider = new NodeTracerProvider({ spanProcessors: [handSpansTo(new BatchSpanProcessor(exporter))] })
 * ```
 *
 * @returns The same object.
 * @throws ThreadspanError `THREADSPAN_INVALID_ARGUMENT` if it has no method `onEnd`.
 */
export function handSpansTo<P extends object>(processor: P): P {
  if (typeof (processor as Partial<ReceivingProcessor> | null)?.onEnd !== 'function') {
    throw new ThreadspanError('THREADSPAN_INVALID_ARGUMENT', 'A span processor has a method onEnd(span)')
  }
  state.handed.add(takeBeforeFlush(processor as unknown as ReceivingProcessor))
  state.source?.known()
  return processor
}

/** The processors that take spans; none, where there is no SDK whose processors are known. */
export function receivingProcessors(): Iterable<ReceivingProcessor> {
  return state.handed.size > 0 ? state.handed : state.found
}

/** Whether spans can be handed over. */
export function hasProcessors(): boolean {
  return state.handed.size > 0 || state.found.length > 0
}

/** What the SDK says of this process, where it is known. */
export function sdkResource(): SdkResource | undefined {
  return state.resource
}

/** Sets where spans come from. Once. */
export function provideSpans(source: SpanSource): void {
  state.source = source
  if (hasProcessors()) source.known()
}

/** Hands spans to every processor. One that throws is counted, and keeps no other from its work. */
export function handOver(spans: readonly ReadableSpan[]): void {
  for (const processor of receivingProcessors()) {
    for (const span of spans) {
      try {
        processor.onEnd(span)
      } catch (error) {
        count('sdk.processor')
        debug('span processor: %s', error)
      }
    }
  }
}

/**
 * Has every processor pass on what it holds: what it can at once, the rest until the promise resolves.
 * @returns A promise that never rejects.
 */
export async function flushProcessors(): Promise<void> {
  const flushes: (Promise<void> | undefined)[] = []
  state.isFlushing = true
  for (const processor of receivingProcessors()) {
    try {
      flushes.push(processor.forceFlush?.())
    } catch (error) {
      debug('span processor: %s', error)
    }
  }
  state.isFlushing = false
  await Promise.allSettled(flushes)
}

/**
 * Looks for the processors and the Resource of the registered TracerProvider. OpenTelemetry's API has no way to them; SDK 2 and 3 keep
 * them in `_activeSpanProcessor._spanProcessors` and `_resource`.
 */
export function findProcessors(registered: unknown): void {
  try {
    const proxy = registered as { getDelegate?: () => unknown } | undefined
    const provider = (proxy?.getDelegate?.() ?? registered) as
      | { _activeSpanProcessor?: { _spanProcessors?: unknown }; _resource?: unknown }
      | undefined
    if (isSdkResource(provider?._resource)) state.resource = provider._resource
    const list = provider?._activeSpanProcessor?._spanProcessors
    if (Array.isArray(list)) {
      state.found = list.filter((processor) => typeof processor?.onEnd === 'function').map(takeBeforeFlush)
    }
  } catch (error) {
    debug('no processors found: %s', error)
  }
  if (hasProcessors()) state.source?.known()
  else
    debug(
      'the processors of the registered TracerProvider are not known: spans from elsewhere are exported apart from it',
    )
}

function takeBeforeFlush(processor: ReceivingProcessor): ReceivingProcessor {
  if (state.prepared.has(processor)) return processor
  state.prepared.add(processor)
  for (const name of ['forceFlush', 'shutdown'] as const) {
    const original = processor[name]
    if (typeof original !== 'function') continue
    try {
      Object.defineProperty(processor, name, {
        value: function (this: ReceivingProcessor, ...args: []) {
          const taken = takeFirst()
          return taken === undefined
            ? original.apply(this, args)
            : taken.then(() => original.apply(this, args))
        },
        configurable: true,
        enumerable: false,
        writable: true,
      })
    } catch (error) {
      debug('span processor: %s stays as it is: %s', name, error)
    }
  }
  return processor
}

/** What a flush waits for. At the end of the process nothing that waits would ever be done. */
function takeFirst(): Promise<void> | undefined {
  if (state.isFlushing) return undefined
  if ((process as { _exiting?: boolean })._exiting !== true) return state.source?.take()
  state.source?.takeNow()
  return undefined
}
