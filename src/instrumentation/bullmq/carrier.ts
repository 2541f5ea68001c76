/** What a job's options carry: BullMQ's own field for the context, in the form that its own telemetry gives it, and the registered values. */
import { count } from '../../core/counters.js'
import type { Fields } from '../messaging-carrier.js'
import { VALUES_FIELD } from '../messaging-carrier.js'
import type { Arrived } from '../messaging-span.js'

/** Options of a job. */
export interface JobOptions {
  readonly telemetry?: { readonly metadata?: unknown; readonly omitContext?: unknown } | null
  /** The same in the short form in which it is kept: BullMQ 5 hands that to processors in other threads and processes. */
  readonly tm?: unknown
  readonly [VALUES_FIELD]?: unknown
}

/** Characters of a job's context that are read. */
const MOST_METADATA = 65_536

/** Whether the application lets the context of its adding go along: it may have given another one, or none. */
export function takesContext(options: JobOptions | undefined): boolean {
  return !options?.telemetry?.metadata && !options?.telemetry?.omitContext
}

/** The options with what goes along. Those that were given stay as they are. */
export function withContext(
  options: JobOptions | undefined,
  metadata: string | undefined,
  values: string | undefined,
): JobOptions | undefined {
  if (options?.telemetry?.omitContext) return options
  const telemetry = metadata === undefined || !takesContext(options) ? undefined : { metadata }
  if (telemetry === undefined && values === undefined) return options
  return {
    ...options,
    ...(telemetry !== undefined && { telemetry }),
    ...(values !== undefined && { [VALUES_FIELD]: values }),
  }
}

/** What a job brings along. Never throws. */
export function arrivedWith(options: JobOptions | undefined): Arrived {
  const values = options?.[VALUES_FIELD]
  const metadata = options?.telemetry?.metadata ?? options?.tm
  let fields: Fields = {}
  if (typeof metadata === 'string') {
    try {
      const parsed: unknown = metadata.length > MOST_METADATA ? undefined : JSON.parse(metadata)
      if (typeof parsed === 'object' && parsed !== null) fields = parsed as Fields
    } catch {
      // BullMQ leaves the form to whoever gives it its `telemetry`.
      count('carrier.metadata')
    }
  }
  return { fields, values }
}
