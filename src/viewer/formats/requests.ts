import { concat, encodeResource, encodeScope, lengthDelimited } from '../../otlp/encode.js'
import { encodeSpan } from '../../otlp/encode-span.js'
import type { Attributes, Span } from '../../otlp/types.js'

/** Bytes of spans that are put into one request. */
const BATCH = 1024 * 1024

/** Who sent a span: the attributes of its resource, and its scope. */
export interface SpanOrigin {
  resource: Attributes
  scope: { name: string; version: string }
}

/** Spans of one resource and scope that wait for their request. */
interface Group {
  resource: Uint8Array
  scope: Uint8Array
  spans: Uint8Array[]
  size: number
}

/** Gathers spans that came in another format into OTLP requests, encoding each at once: objects of all would take many times the memory. */
export class Requests {
  readonly #done: Uint8Array[] = []
  readonly #groups = new Map<string, Group>()

  add({ resource, scope }: SpanOrigin, span: Span): void {
    const group = this.#group(encodeResource(resource), encodeScope(scope.name, scope.version))
    const bytes = lengthDelimited(0x12, encodeSpan(span))
    group.spans.push(bytes)
    group.size += bytes.length
    if (group.size >= BATCH) this.#finish(group)
  }

  /** Encoded `ExportTraceServiceRequest`s of everything that was added. */
  take(): Uint8Array[] {
    for (const group of this.#groups.values()) this.#finish(group)
    this.#groups.clear()
    return this.#done.splice(0)
  }

  #group(resource: Uint8Array, scope: Uint8Array): Group {
    const key = `${Buffer.from(resource).toString('latin1')}\n${Buffer.from(scope).toString('latin1')}`
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = {
        resource: lengthDelimited(0x0a, resource),
        scope: lengthDelimited(0x0a, scope),
        spans: [],
        size: 0,
      }
      this.#groups.set(key, group)
    }
    return group
  }

  #finish(group: Group): void {
    if (group.spans.length === 0) return
    const scopeSpans = lengthDelimited(0x12, concat([group.scope, ...group.spans]))
    this.#done.push(lengthDelimited(0x0a, concat([group.resource, scopeSpans])))
    group.spans = []
    group.size = 0
  }
}
