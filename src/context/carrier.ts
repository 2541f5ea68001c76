import { count } from '../core/counters.js'
import { truncateTracestate } from '../core/tracestate.js'
import { DEADLINE, TRANSACTION } from '../core/variables.js'

/**
 * What crosses a boundary: a {@link Snapshot} in plain form, safe for structured clone, JSON and environment variables.
 *
 * The three header fields are those of W3C Trace Context and W3C Baggage, as they would stand in an HTTP request.
 */
export interface Carrier {
  readonly traceparent?: string
  readonly tracestate?: string
  readonly baggage?: string
  /** The local root span that the work belongs to: its span id, 16 lower-case hexadecimal digits, and its name. */
  readonly transaction?: { readonly id: string; readonly name: string }
  /** The milliseconds that were left until the deadline when the carrier was made; below zero where it had passed. */
  readonly deadline?: number
  /** What limits the work, for threads and processes of the same program, which then do without `deadline`: opaque. */
  readonly signal?: string
  /** The registered values by name, in the form that their `serialize` gave. */
  readonly values?: { readonly [name: string]: unknown }
}

/** Characters of JSON that the values may take in an environment, which has to fit many variables and argv into one system limit. */
const MAX_VALUES_LENGTH = 8192

/** Characters of a transaction's name that travel. */
const MAX_NAME_LENGTH = 256

const VALUES = 'THREADSPAN_VALUES'

/**
 * The environment variables that hand a carrier to a child process: `TRACEPARENT`, `TRACESTATE` and `BAGGAGE` as in OpenTelemetry's
 * "Environment Variables as Context Propagation Carriers", so that children in any language can continue the trace, and
 * `THREADSPAN_TRANSACTION`, `THREADSPAN_VALUES` (JSON) and `THREADSPAN_DEADLINE` (milliseconds) for those that run this package.
 *
 * Values that do not fit into 8192 characters of JSON together are left out and counted. Environments can be read by others: no secrets.
 */
export function carrierToEnv(carrier: Carrier): Record<string, string> {
  const env: Record<string, string> = {}
  if (carrier.traceparent !== undefined) env['TRACEPARENT'] = carrier.traceparent
  if (carrier.tracestate !== undefined) env['TRACESTATE'] = truncateTracestate(carrier.tracestate)
  if (carrier.baggage !== undefined) env['BAGGAGE'] = carrier.baggage
  if (carrier.deadline !== undefined) env[DEADLINE] = `${carrier.deadline}`
  if (carrier.transaction !== undefined) {
    const { id, name } = carrier.transaction
    env[TRANSACTION] = JSON.stringify({ id, name: name.slice(0, MAX_NAME_LENGTH) })
  }
  const values = valuesToJson(carrier.values)
  if (values !== '') env[VALUES] = values
  return env
}

function valuesToJson(values: Carrier['values']): string {
  let members = ''
  for (const [name, value] of Object.entries(values ?? {})) {
    let json: string | undefined
    try {
      json = JSON.stringify(value)
    } catch {
      json = undefined
    }
    const member = json === undefined ? '' : `${JSON.stringify(name)}:${json}`
    if (member === '' || members.length + member.length + (members === '' ? 2 : 3) > MAX_VALUES_LENGTH) {
      count(member === '' ? 'value.json' : 'value.environment')
      continue
    }
    members += members === '' ? member : `,${member}`
  }
  return members === '' ? '' : `{${members}}`
}

/**
 * The carrier that an environment holds, for `Snapshot.from`, which judges what is in it. Broken JSON is ignored and counted.
 *
 * @returns undefined where it holds nothing of a carrier.
 */
export function carrierFromEnv(env: Readonly<Record<string, string | undefined>>): Carrier | undefined {
  const carrier: { -readonly [K in keyof Carrier]: Carrier[K] } = {}
  if (env['TRACEPARENT']) carrier.traceparent = env['TRACEPARENT']
  if (env['TRACESTATE']) carrier.tracestate = env['TRACESTATE']
  if (env['BAGGAGE']) carrier.baggage = env['BAGGAGE']
  // Whatever is no JSON names the transaction of the whole run.
  const transaction = env[TRANSACTION]?.startsWith('{') ? fromJson(env[TRANSACTION]) : undefined
  if (transaction !== undefined) carrier.transaction = transaction as NonNullable<Carrier['transaction']>
  if (env[DEADLINE]) carrier.signal = env[DEADLINE]
  const values = fromJson(env[VALUES])
  if (values !== undefined) carrier.values = values as NonNullable<Carrier['values']>
  return Object.keys(carrier).length === 0 ? undefined : carrier
}

function fromJson(text: string | undefined): object | undefined {
  if (!text) return undefined
  try {
    const value: unknown = text.length > MAX_VALUES_LENGTH ? undefined : JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Counted below, as are JSON that is no object and what is too long.
  }
  count('carrier.environment')
  return undefined
}
