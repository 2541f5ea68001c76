import { isAbsolute } from 'node:path'
import {
  type Context,
  createContextKey,
  propagation,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api'
import { formatBaggage, parseBaggage } from '../core/baggage.js'
import { count } from '../core/counters.js'
import { warnOnce } from '../core/log.js'
import { formatTraceparent, parseTraceparent } from '../core/traceparent.js'
import { ownTracestate, parseTracestate, truncateTracestate } from '../core/tracestate.js'
import { contextWithBaggage, contextWithSpan, spanOf } from './context.js'

/** Set by OpenTelemetry's SDK around its own requests, which carry no context. A registered symbol, so that its package is not needed. */
const SUPPRESS_TRACING_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** Parts of one header that are looked at. */
const MOST_PARTS = 1000

/** A header that may have arrived in several parts. A carrier may be anything: also a list that says it has billions of elements. */
function textOf(header: unknown): string {
  if (typeof header === 'string') return header
  return Array.isArray(header) && header.length <= MOST_PARTS ? header.join(',') : ''
}

/** Propagates the active span as W3C Trace Context Level 2. Both headers may arrive in several parts. */
export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = spanOf(context)?.spanContext()
    if (span === undefined || context.getValue(SUPPRESS_TRACING_KEY) === true) return
    const traceparent = formatTraceparent(span)
    if (traceparent === undefined) return
    setter.set(carrier, 'traceparent', traceparent)
    const tracestate = ownTracestate(span.traceState)?.serialize()
    if (tracestate) setter.set(carrier, 'tracestate', truncateTracestate(tracestate))
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const header = getter.get(carrier, 'traceparent')
    if (header === undefined || header === null) return context
    // Two of them contradict each other, so that neither counts.
    const single = Array.isArray(header) ? (header.length === 1 ? header[0] : undefined) : header
    const parent = typeof single === 'string' ? parseTraceparent(single) : undefined
    if (parent === undefined) {
      count('traceparent.header')
      return context
    }
    const traceState = parseTracestate(textOf(getter.get(carrier, 'tracestate')))
    const spanContext =
      traceState === undefined ? { ...parent, isRemote: true } : { ...parent, traceState, isRemote: true }
    return contextWithSpan(context, trace.wrapSpanContext(spanContext))
  }

  fields(): string[] {
    return ['traceparent', 'tracestate']
  }
}

/** Propagates baggage as W3C Baggage. The header may arrive in several parts. */
export class BaggagePropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const baggage = propagation.getBaggage(context)
    if (baggage === undefined || context.getValue(SUPPRESS_TRACING_KEY) === true) return
    const text = formatBaggage(baggage)
    if (text !== '') setter.set(carrier, 'baggage', text)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const baggage = parseBaggage(textOf(getter.get(carrier, 'baggage')))
    return baggage === undefined ? context : contextWithBaggage(context, baggage)
  }

  fields(): string[] {
    return ['baggage']
  }
}

/** Several propagators as one, in order. One that throws is counted, and does not keep the others from their work. */
export class CompositePropagator implements TextMapPropagator {
  readonly #parts: readonly TextMapPropagator[]

  constructor(parts: readonly TextMapPropagator[]) {
    this.#parts = parts
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    for (const part of this.#parts) {
      try {
        part.inject(context, carrier, setter)
      } catch {
        count('propagator.inject')
      }
    }
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    let result = context
    for (const part of this.#parts) {
      try {
        result = part.extract(result, carrier, getter)
      } catch {
        count('propagator.extract')
      }
    }
    return result
  }

  fields(): string[] {
    return [...new Set(this.#parts.flatMap((part) => part.fields()))]
  }
}

interface Package {
  readonly name: string
  readonly make: (exports: Record<string, new (options?: unknown) => TextMapPropagator>) => TextMapPropagator
}

/** Propagators that OpenTelemetry has packages of its own for; the numbers are its `B3InjectEncoding`. */
const PACKAGES: Readonly<Record<string, Package>> = {
  b3: { name: '@opentelemetry/propagator-b3', make: (b3) => new b3['B3Propagator']!({ injectEncoding: 0 }) },
  b3multi: {
    name: '@opentelemetry/propagator-b3',
    make: (b3) => new b3['B3Propagator']!({ injectEncoding: 1 }),
  },
  jaeger: { name: '@opentelemetry/propagator-jaeger', make: (jaeger) => new jaeger['JaegerPropagator']!() },
}

/**
 * The propagator that `OTEL_PROPAGATORS` names.
 *
 * @param names of `tracecontext`, `baggage`, `b3`, `b3multi`, `jaeger` and `none`, each at most once. The packages of the three in the middle
 *   are the application's: where one is missing, and for a name that is none of these, there is one warning
 *   (`THREADSPAN_PROPAGATOR_MISSING`, `THREADSPAN_PROPAGATOR_UNKNOWN`), and the others work.
 */
export function createPropagator(names: readonly string[]): TextMapPropagator {
  const parts: TextMapPropagator[] = []
  for (const name of new Set(names)) {
    if (name === 'tracecontext') parts.push(new TraceContextPropagator())
    else if (name === 'baggage') parts.push(new BaggagePropagator())
    else if (name !== 'none') parts.push(...load(name))
  }
  return new CompositePropagator(parts)
}

function load(name: string): TextMapPropagator[] {
  const source = Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined
  if (source === undefined) {
    warnOnce(
      'THREADSPAN_PROPAGATOR_UNKNOWN',
      `OTEL_PROPAGATORS: no propagator is called ${JSON.stringify(name)}; ignored`,
    )
    return []
  }
  try {
    return [source.make(requireFromApplication(source.name))]
  } catch {
    warnOnce(
      'THREADSPAN_PROPAGATOR_MISSING',
      `OTEL_PROPAGATORS: ${name} needs the package ${source.name}; npm install ${source.name}`,
    )
    return []
  }
}

/**
 * Loads a package as the main script would. Only a script that has no path, given by standard input or `-e`, has the working directory for
 * its own: that of any other can be anybody's.
 */
function requireFromApplication(name: string): Record<string, new (options?: unknown) => TextMapPropagator> {
  const { createRequire } = process.getBuiltinModule('node:module')
  const script = process.argv[1]
  return createRequire(script !== undefined && isAbsolute(script) ? script : `${process.cwd()}/`)(name)
}
