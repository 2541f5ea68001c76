import { emptyResource, emptyScope, readResource, readScope } from '../../otlp/decode-common.js'
import { ProtobufReader } from '../../otlp/protobuf.js'
import type { AnyValue, Resource, Scope } from '../../otlp/types.js'
import { Interner } from './interner.js'

/** Who sent spans: one per distinct Resource message. */
export interface Origin {
  resource: Resource
  /** The encoded Resource message. */
  bytes: Buffer
  service: string
  host: string
  language: string
  pid: number | null
  /** Equal for resources of the same process, whatever else they say of it. */
  process: string
}

/** One thread of one process. */
export interface Lane {
  origin: number
  /** `thread.id`, or null for senders that do not say. */
  id: number | null
  /** `thread.name`, or the empty string. */
  name: string
}

/** An instrumentation scope with its encoded message. */
export interface ScopeEntry {
  scope: Scope
  bytes: Buffer
}

/** The processes, threads and instrumentation scopes of the spans in the store, each once. */
export class Lanes {
  readonly origins = new Interner<Origin>()
  readonly lanes = new Interner<Lane>()
  readonly scopes = new Interner<ScopeEntry>()

  /** @param bytes an encoded Resource message. @throws OtlpError */
  internOrigin(bytes: Buffer): number {
    return this.origins.intern(bytes.toString('latin1'), () => readOrigin(Buffer.from(bytes)))
  }

  /** @param bytes an encoded InstrumentationScope message. @throws OtlpError */
  internScope(bytes: Buffer): number {
    return this.scopes.intern(bytes.toString('latin1'), () => {
      const own = Buffer.from(bytes)
      const scope = emptyScope()
      readScope(framed(own), scope)
      return { scope, bytes: own }
    })
  }

  internLane(origin: number, id: number | null, name: string): number {
    return this.lanes.intern(`${origin} ${id} ${name}`, () => {
      this.origins.retain(origin)
      return { origin, id, name }
    })
  }

  releaseLane(lane: number): void {
    const last = this.lanes.release(lane)
    if (last !== undefined) this.origins.release(last.origin)
  }

  /** The origin of a lane. */
  of(lane: number): Origin {
    return this.origins.value(this.lanes.value(lane).origin)
  }
}

/** The readers of messages expect a length before them. */
function framed(bytes: Buffer): ProtobufReader {
  const prefix = []
  let rest = bytes.length
  for (; rest > 127; rest >>>= 7) prefix.push((rest & 127) | 128)
  prefix.push(rest)
  return new ProtobufReader(Buffer.concat([Buffer.from(prefix), bytes]))
}

function readOrigin(bytes: Buffer): Origin {
  const resource = emptyResource()
  readResource(framed(bytes), resource)
  const { attributes } = resource
  const service = asText(attributes['service.name'])
  const host = asText(attributes['host.name'])
  const instance = asText(attributes['service.instance.id'])
  const pid = attributes['process.pid']
  const known = instance !== '' ? `instance ${instance}` : pid !== undefined ? `${host} ${asText(pid)}` : ''
  return {
    resource,
    bytes,
    service: service === '' ? 'unknown_service' : service,
    host,
    language: asText(attributes['telemetry.sdk.language']),
    pid: typeof pid === 'number' ? pid : null,
    process: known === '' ? bytes.toString('latin1') : `${service} ${known}`,
  }
}

function asText(value: AnyValue | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}
