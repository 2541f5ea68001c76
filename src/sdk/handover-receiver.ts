import { BroadcastChannel, receiveMessageOnPort } from 'node:worker_threads'
import { type Attributes, context as contextApi, ROOT_CONTEXT } from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { debug } from '../core/log.js'
import { HANDOVER, handoverChannel, isHandover, TAKEN, unref } from './handover.js'
import { flushProcessors, handOver, sdkResource } from './processors.js'
import type { Reading } from './reading.js'
import type { SdkResource } from './resource.js'

/** Resources of descendants that are kept, so that their spans share one. */
const MAX_RESOURCES = 256
/**
 * Spans after which the processors pass on what they hold before they get more. OpenTelemetry's batch processor drops what does not
 * fit into its queue, of 2048 by default, and exports no faster than its endpoint answers.
 */
const ENOUGH = 1024

/** The main thread's end of the way from the collector to the application's SDK. */
export class HandoverReceiver {
  private readonly channel: BroadcastChannel
  private readonly resources = new Map<string, SdkResource>()
  private base: SdkResource | undefined
  private readonly queue: unknown[] = []
  private pumping: Promise<void> | undefined
  /** Spans since the processors were flushed. */
  private handed = 0

  /**
   * @param name The process's BroadcastChannel.
   * @param reading Makes spans of what is posted on it.
   */
  constructor(
    private readonly control: Int32Array,
    name: string,
    private readonly reading: Reading,
  ) {
    this.channel = new BroadcastChannel(handoverChannel(name))
    this.channel.onmessage = (event) => this.receive((event as { data: unknown }).data)
    unref(this.channel)
    // From here on the collector posts instead of exporting; nothing can be posted to nobody.
    Atomics.store(control, HANDOVER, 1)
  }

  /** Takes all that was posted, without waiting for the event loop or the processors. */
  drain(): void {
    this.collect()
    while (this.queue.length > 0) if (this.take()) void flushProcessors()
  }

  /** Takes all that was posted, at the pace of the processors. */
  async settle(): Promise<void> {
    this.collect()
    await this.pump()
  }

  /** What was posted and not delivered yet. */
  private collect(): void {
    // Receiving works on BroadcastChannels as on ports; the type definitions know only of ports.
    const port = this.channel as unknown as Parameters<typeof receiveMessageOnPort>[0]
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      this.queue.push(next.message)
  }

  private receive(message: unknown): void {
    this.queue.push(message)
    void this.pump()
  }

  private pump(): Promise<void> {
    this.pumping ??= this.takeAll().finally(() => {
      this.pumping = undefined
    })
    return this.pumping
  }

  private async takeAll(): Promise<void> {
    while (this.queue.length > 0) if (this.take()) await flushProcessors()
  }

  /** @returns Whether the processors hold so much by now that they had better pass it on first. */
  private take(): boolean {
    const message = this.queue.shift()
    Atomics.add(this.control, TAKEN, 1)
    Atomics.notify(this.control, TAKEN)
    if (!isHandover(message)) return false
    try {
      // Processors may export at once: what they do belongs to no request of the application's.
      contextApi.with(ROOT_CONTEXT, () => this.hand(message.request, message.own))
    } catch (error) {
      count('sdk.handover')
      debug('spans for the SDK: %s', error)
    }
    if (this.handed < ENOUGH) return false
    this.handed = 0
    return true
  }

  private hand(request: Uint8Array, own: Attributes): void {
    const { attributesOf, decodeTraces, readableScope, readableSpan } = this.reading
    for (const { resource, scopeSpans } of decodeTraces(request).resourceSpans) {
      const shared = this.resourceOf(attributesOf(resource.attributes), own)
      for (const group of scopeSpans) {
        const scope = readableScope(group)
        this.handed += group.spans.length
        handOver(group.spans.map((span) => readableSpan(span, scope, shared)))
      }
    }
  }

  /** One object for each process, since exporters group spans by it; for this process the SDK's own. */
  private resourceOf(attributes: Attributes, own: Attributes): SdkResource {
    const base = sdkResource()
    if (base !== this.base) {
      this.base = base
      this.resources.clear()
    }
    const key = JSON.stringify(attributes)
    let resource = this.resources.get(key)
    if (resource === undefined) {
      const { DescendantResource, difference } = this.reading
      const apart = base === undefined ? attributes : difference(attributes, own)
      resource =
        base !== undefined && Object.keys(apart).length === 0 ? base : new DescendantResource(base, apart)
      if (this.resources.size >= MAX_RESOURCES) this.resources.clear()
      this.resources.set(key, resource)
    }
    return resource
  }
}
