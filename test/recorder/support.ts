/** A recorder on memory of its own, and its spans as OpenTelemetry's own message definitions read them. */
import { createRequire } from 'node:module'
import { control, memory, Ring, RingReader } from '../relay/support.js'

const require = createRequire(import.meta.url)

import { readTracingConfig } from '#dist/config/tracing.js'
import { Recorder } from '#dist/recorder/recorder.js'
import * as samplers from '#dist/recorder/sampler.js'

export { samplers }

const entry = require.resolve('@opentelemetry/otlp-definitions')
const definitions = require(entry.replace(/index\.js$/, 'generated/root.js'))
const { ScopeSpans } = definitions.opentelemetry.proto.trace.v1

interface Value {
  stringValue?: string
  boolValue?: boolean
  intValue?: string
  doubleValue?: number
  arrayValue?: { values?: Value[] }
}
type Pairs = { key: string; value: Value }[]

export interface Decoded {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: number
  start: bigint
  end: bigint
  flags: number
  traceState: string
  attributes: Record<string, unknown>
  droppedAttributes: number
  events: { name: string; attributes: Record<string, unknown>; dropped: number }[]
  droppedEvents: number
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[]
  droppedLinks: number
  status: { code: number; message: string }
}

function plainValue(value: Value | undefined): unknown {
  if (value === undefined) return null
  if (value.intValue !== undefined) return Number(value.intValue)
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue)
  return value.stringValue ?? value.doubleValue ?? value.boolValue ?? null
}

const pairsOf = (list: Pairs | undefined) =>
  Object.fromEntries((list ?? []).map(({ key, value }) => [key, plainValue(value)]))
const hexOf = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString('hex')

/** The spans of `ScopeSpans.spans` fields laid end to end. */
export function decode(bytes: Uint8Array): Decoded[] {
  const plain = ScopeSpans.toObject(ScopeSpans.decode(bytes), { longs: String, bytes: String })
  // biome-ignore lint/suspicious/noExplicitAny: as the generated code has it
  return (plain.spans ?? []).map((span: any) => ({
    traceId: hexOf(span.traceId),
    spanId: hexOf(span.spanId),
    parentSpanId: hexOf(span.parentSpanId),
    name: span.name,
    kind: span.kind,
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
    flags: span.flags,
    traceState: span.traceState ?? '',
    attributes: pairsOf(span.attributes),
    droppedAttributes: span.droppedAttributesCount ?? 0,
    // biome-ignore lint/suspicious/noExplicitAny: as above
    events: (span.events ?? []).map((event: any) => ({
      name: event.name ?? '',
      attributes: pairsOf(event.attributes),
      dropped: event.droppedAttributesCount ?? 0,
    })),
    droppedEvents: span.droppedEventsCount ?? 0,
    // biome-ignore lint/suspicious/noExplicitAny: as above
    links: (span.links ?? []).map((link: any) => ({
      traceId: hexOf(link.traceId),
      spanId: hexOf(link.spanId),
      attributes: pairsOf(link.attributes),
    })),
    droppedLinks: span.droppedLinksCount ?? 0,
    status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
  }))
}

export function record(env: Record<string, string> = {}, sampler = samplers.alwaysOn) {
  const shared = memory(1 << 22, 64)
  const ring = new Ring(shared, control(), () => {})
  const reader = new RingReader(shared)
  const recorder = new Recorder({
    sampler,
    limits: readTracingConfig(env).config.limits,
    thread: Buffer.alloc(0),
    open: () => ring,
  })
  return {
    recorder,
    tracer: recorder.getTracer('test'),
    reader,
    /** What has ended since the last call. */
    take(): Decoded[] {
      const spans: Decoded[] = []
      reader.drain({
        scope() {},
        spans(_scope, bytes) {
          spans.push(...decode(Buffer.from(bytes)))
        },
      })
      return spans
    },
  }
}
