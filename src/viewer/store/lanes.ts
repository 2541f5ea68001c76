import { emptyResource, emptyScope, readResource, readScope } from '../../otlp/decode-common.js'
import { lengthDelimited } from '../../otlp/encode.js'
import { ProtobufReader } from '../../otlp/protobuf.js'
import type { AnyValue, Resource, Scope } from '../../otlp/types.js'
import { Interner } from './interner.js'
import { processKey } from './process-key.js'

/** Who sent spans: one per distinct Resource message and schema. */
export interface Origin {
  resource: Resource
  schemaUrl: string
  /** The encoded ResourceSpans message without its spans. */
  bytes: Buffer
  service: string
  host: string
  environment: string
  language: string
  pid: number | null
  /** What names the process, where the resource tells. */
  processKey: string
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

/** An instrumentation scope. */
export interface ScopeEntry {
  scope: Scope
  schemaUrl: string
  /** The encoded ScopeSpans message without its spans. */
  bytes: Buffer
}

/** What a decoded resource or scope takes in memory for each byte of it: the bytes, its key, and the objects. */
const DECODED = 8

/** The processes, threads and instrumentation scopes of the spans in the store, each once. */
export class Lanes {
  readonly origins = new Interner<Origin>()
  readonly lanes = new Interner<Lane>()
  readonly scopes = new Interner<ScopeEntry>()

  #bytes = 0

  /** About what the resources and scopes take in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param bytes an encoded ResourceSpans message without spans, see `headerOf`. @throws OtlpError */
  internOrigin(bytes: Buffer): number {
    return this.origins.intern(bytes.toString('latin1'), () => {
      const origin = readOrigin(Buffer.from(bytes))
      this.#bytes += bytes.length * DECODED
      return origin
    })
  }

  /** @param bytes an encoded ScopeSpans message without spans, see `headerOf`. @throws OtlpError */
  internScope(bytes: Buffer): number {
    return this.scopes.intern(bytes.toString('latin1'), () => {
      const scope = emptyScope()
      const schemaUrl = readHeader(bytes, (reader) => readScope(reader, scope))
      this.#bytes += bytes.length * DECODED
      return { scope, schemaUrl, bytes: Buffer.from(bytes) }
    })
  }

  releaseOrigin(origin: number): void {
    this.#bytes -= (this.origins.release(origin)?.bytes.length ?? 0) * DECODED
  }

  releaseScope(scope: number): void {
    this.#bytes -= (this.scopes.release(scope)?.bytes.length ?? 0) * DECODED
  }

  internLane(origin: number, id: number | null, name: string): number {
    return this.lanes.intern(`${origin} ${id} ${name}`, () => {
      this.origins.retain(origin)
      return { origin, id, name }
    })
  }

  releaseLane(lane: number): void {
    const last = this.lanes.release(lane)
    if (last !== undefined) this.releaseOrigin(last.origin)
  }

  /** The origin of a lane. */
  of(lane: number): Origin {
    return this.origins.value(this.lanes.value(lane).origin)
  }
}

/**
 * What stands before the spans of a ResourceSpans or ScopeSpans message: both have the message (of a resource or a scope) as
 * field 1 and the schema's URL as field 3.
 */
export function headerOf(message: Buffer, schemaUrl: Buffer): Buffer {
  const parts = [lengthDelimited(0x0a, message)]
  if (schemaUrl.length > 0) parts.push(lengthDelimited(0x1a, schemaUrl))
  return Buffer.concat(parts)
}

/** Reads what `headerOf` made; answers the schema's URL. */
function readHeader(bytes: Buffer, read: (reader: ProtobufReader) => void): string {
  const reader = new ProtobufReader(bytes)
  let schemaUrl = ''
  while (reader.pos < reader.end) {
    if (reader.tag() === 0x0a) read(reader)
    else schemaUrl = reader.string()
  }
  return schemaUrl
}

function readOrigin(bytes: Buffer): Origin {
  const resource = emptyResource()
  let end = 0
  const schemaUrl = readHeader(bytes, (reader) => {
    readResource(reader, resource)
    end = reader.pos
  })
  const { attributes } = resource
  const service = asText(attributes['service.name'])
  const host = asText(attributes['host.name'])
  const pid = attributes['process.pid']
  const key = processKey(attributes)
  return {
    resource,
    schemaUrl,
    bytes,
    service: service === '' ? 'unknown_service' : service,
    host,
    environment:
      asText(attributes['deployment.environment.name']) || asText(attributes['deployment.environment']),
    language: asText(attributes['telemetry.sdk.language']),
    pid: typeof pid === 'number' ? pid : null,
    processKey: key,
    process: key === '' ? bytes.toString('latin1', 0, end) : `${service} ${key}`,
  }
}

function asText(value: AnyValue | undefined): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}
