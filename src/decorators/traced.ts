import { type Attributes, type Context, context as contextApi, type SpanOptions } from '@opentelemetry/api'
import type { NamedSpanOptions } from '../context/span.js'
import { count } from '../core/counters.js'
import type { AnyMethod } from '../hooks/imitate.js'
import { imitate } from '../hooks/imitate.js'
import { type Application, apply, isApplied, type PlaceContext } from './apply.js'
import { DefaultName } from './class-name.js'
import { generatorKind, inSpanOf, type Opened } from './generator.js'

/** What `@Span` and `@Transaction` take beside a name. */
export interface TracedOptions<A extends readonly unknown[] = never> extends Omit<SpanOptions, 'attributes'> {
  /**
   * Attributes of the span, or a function that makes them of the call's arguments: nothing is recorded of arguments unless it is
   * said here. A function that throws is counted (`decorator.attributes`), and the method runs without.
   */
  readonly attributes?: Attributes | ((...args: A) => Attributes)
}

/** `never`, which no method is assignable to, where `A` are not parameters that a function of the type `F` is called with. */
type Accepts<F, A extends readonly unknown[]> = F extends (...args: infer P) => unknown
  ? ((...args: A) => void) extends (...args: P) => void
    ? unknown
    : never
  : never

/** An accessor, decorated as TC39's `accessor` keyword makes it. */
type AccessorTarget = { get: (this: never) => unknown; set: (this: never, value: never) => void }

/**
 * A decorator of methods, getters, setters and accessors, in both forms: TC39's and the legacy one of `experimentalDecorators`.
 * The type of what it decorates stays.
 */
export interface TracedDecorator<A extends readonly unknown[] = never> {
  // biome-ignore lint/suspicious/noExplicitAny: the bound of a type parameter that stands for any method.
  <F extends (...args: any[]) => unknown>(
    method: F & ([A] extends [never] ? unknown : Accepts<F, A>),
    context: PlaceContext<'method' | 'getter' | 'setter'>,
  ): F
  (accessor: AccessorTarget, context: PlaceContext<'accessor'>): void
  <T>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T> & ([A] extends [never] ? unknown : LegacyAccepts<T, A>),
  ): TypedPropertyDescriptor<T> | void
}

type LegacyAccepts<T, A extends readonly unknown[]> = [Accepts<T, A>] extends [never] ? never : unknown

/** How a decorated call is traced: `withSpan` and what lies under it, or the same for transactions. */
export interface Tracing {
  /** `@Span`, for errors. */
  readonly decorator: string
  run(options: NamedSpanOptions, fn: () => unknown): unknown
  open(options: NamedSpanOptions, parent: Context): Opened
}

type RawOptions = TracedOptions<unknown[]>

/** The decorator, or a maker of it, that `args` ask for. */
export function tracedDecorator(tracing: Tracing, args: readonly unknown[]): unknown {
  if (isApplied(args)) return apply(tracing.decorator, args, traced(tracing, undefined, undefined))
  const [name, options] = typeof args[0] === 'object' ? [undefined, args[0]] : args
  const application = traced(tracing, name as string | undefined, options as RawOptions | undefined)
  return (...applied: unknown[]) => apply(tracing.decorator, applied, application)
}

function traced(tracing: Tracing, name: string | undefined, options: RawOptions | undefined): Application {
  return {
    replace(fn, place) {
      const { attributes, ...rest } = options ?? {}
      const fallback = name === undefined ? new DefaultName(place) : undefined
      const fixed = typeof attributes === 'object' ? { ...rest, attributes } : rest
      const optionsOf = (receiver: unknown, args: unknown[]): NamedSpanOptions => {
        const spanName = name ?? fallback!.of(receiver, method)
        if (typeof attributes !== 'function') return { ...fixed, name: spanName }
        try {
          return { ...rest, name: spanName, attributes: attributes(...args) }
        } catch {
          count('decorator.attributes')
          return { ...rest, name: spanName }
        }
      }
      const method = imitate(tracedMethod(tracing, fn, optionsOf), fn)
      return method
    },
  }
}

function tracedMethod(
  tracing: Tracing,
  fn: AnyMethod,
  optionsOf: (receiver: unknown, args: unknown[]) => NamedSpanOptions,
): AnyMethod {
  const kind = generatorKind(fn)
  if (kind === undefined) {
    return function (this: unknown, ...args: unknown[]): unknown {
      return tracing.run(optionsOf(this, args), () => fn.apply(this, args))
    }
  }
  return function (this: unknown, ...args: unknown[]): unknown {
    const parent = contextApi.active()
    const open = (): Opened => tracing.open(optionsOf(this, args), parent)
    return inSpanOf(fn.apply(this, args) as object, kind === 'async', open)
  }
}
