import { SEGMENT } from './exponential.js'

/** What an instrument is, in the terms of OpenTelemetry's Metrics API 1.x. */

export const KINDS = [
  'counter',
  'updowncounter',
  'gauge',
  'histogram',
  'observablecounter',
  'observableupdowncounter',
  'observablegauge',
] as const

export type InstrumentKind = (typeof KINDS)[number]

export interface InstrumentDescriptor {
  readonly kind: InstrumentKind
  readonly name: string
  /** UCUM, e.g. `ms`, `By`, `{request}`. */
  readonly unit: string
  readonly description: string
  /** Whether values are integers. */
  readonly isInt: boolean
  /** Of a histogram: inclusive upper bounds of its buckets, ascending. */
  readonly bounds: readonly number[]
  /** Whether a histogram has buckets of exponential size instead. */
  readonly isExponential: boolean
  readonly scope: { readonly name: string; readonly version: string; readonly schemaUrl: string }
}

/** Where in the cells of a series what lies. */
export const SUM = 0
/** A gauge's, and an observable's. */
export const VALUE = 0
/** When a gauge was set, in milliseconds since the epoch. */
export const SET_AT = 1
/** Of an observable: the round in which it was observed, and when. */
export const OBSERVED_IN = 1
export const OBSERVED_AT = 2
export const MIN = 1
export const MAX = 2
export const BUCKETS = 3

export function isObservable(kind: InstrumentKind): boolean {
  return kind.startsWith('observable')
}

/**
 * Cells of an exemplar, behind those that are added up: a value, when it was measured (milliseconds since the epoch, 0 for none), and the ids of
 * the trace and the span that were active, in words of 32 bits.
 */
export const EXEMPLAR_CELLS = 8
export const EXEMPLAR_VALUE = 0
export const EXEMPLAR_TIME = 1
export const EXEMPLAR_IDS = 2

export function hasExemplar(kind: InstrumentKind): boolean {
  return kind === 'counter' || kind === 'histogram'
}

/** How many cells of a series tell what was measured; an exemplar lies behind them. */
export function bodyOf({ kind, bounds, isExponential }: InstrumentDescriptor): number {
  if (kind === 'histogram') return isExponential ? SEGMENT : BUCKETS + bounds.length + 1
  if (kind === 'gauge') return 2
  return isObservable(kind) ? 3 : 1
}

/** How many cells a series of the instrument has. */
export function cellsOf(descriptor: InstrumentDescriptor): number {
  return bodyOf(descriptor) + (hasExemplar(descriptor.kind) ? EXEMPLAR_CELLS : 0)
}

/** Most buckets that a histogram may be given. */
export const MAX_BOUNDS = 1024

/** A descriptor from text that another thread or process has written; undefined where it is none. */
export function parseDescriptor(text: string): InstrumentDescriptor | undefined {
  try {
    const { kind, name, unit, description, isInt, bounds, isExponential, scope } = JSON.parse(
      text,
    ) as InstrumentDescriptor
    const texts = [name, unit, description, scope.name, scope.version, scope.schemaUrl]
    if (!KINDS.includes(kind) || texts.some((value) => typeof value !== 'string')) return undefined
    if (!Array.isArray(bounds) || bounds.length > MAX_BOUNDS || !bounds.every(Number.isFinite))
      return undefined
    return {
      kind,
      name,
      unit,
      description,
      isInt: isInt === true,
      bounds,
      isExponential: isExponential === true,
      scope: { name: scope.name, version: scope.version, schemaUrl: scope.schemaUrl },
    }
  } catch {
    return undefined
  }
}
