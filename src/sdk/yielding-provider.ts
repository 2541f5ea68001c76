import type { Context, Span, SpanOptions, Tracer, TracerOptions, TracerProvider } from '@opentelemetry/api'
import { doubleOf } from './other-agents.js'

type Arguments = [name: string, version?: string, options?: TracerOptions]

/**
 * The TracerProvider that is registered with OpenTelemetry's API: its tracers are the recorder's until the application's SDK takes
 * over, and the SDK's from then on. Programs keep tracers from before that moment; they ask this one at each span.
 */
export class YieldingProvider implements TracerProvider {
  private provider: TracerProvider
  /** Counts changes of `provider`. */
  private generation = 0

  /**
   * @param doubled Called with the name of an instrumentation of ours when another package, which makes the same spans, makes one by the
   *   recorder. Must not throw.
   */
  constructor(
    recorder: TracerProvider,
    private readonly doubled: (name: string) => void = () => {},
  ) {
    this.provider = recorder
  }

  /** All tracers, also those that were given out, are this provider's from now on. */
  yieldTo(provider: TracerProvider): void {
    this.provider = provider
    this.generation++
  }

  /** Whether spans are made elsewhere. */
  get hasYielded(): boolean {
    return this.generation > 0
  }

  getTracer(...args: Arguments): Tracer {
    let generation = this.generation
    let tracer = this.provider.getTracer(...args)
    const current = (): Tracer => {
      if (generation !== this.generation) {
        generation = this.generation
        tracer = this.provider.getTracer(...args)
      }
      return tracer
    }
    const double = doubleOf(args[0])
    if (double === undefined) return new YieldingTracer(current)
    return new YieldingTracer(() => {
      if (!this.hasYielded) this.doubled(double)
      return current()
    })
  }
}

class YieldingTracer implements Tracer {
  constructor(private readonly current: () => Tracer) {}

  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    return this.current().startSpan(name, options, context)
  }

  startActiveSpan<F extends (span: Span) => unknown>(...args: unknown[]): ReturnType<F> {
    const tracer = this.current()
    return (tracer.startActiveSpan as (...all: unknown[]) => ReturnType<F>).apply(tracer, args)
  }
}
