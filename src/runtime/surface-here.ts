/** Calls the surfacers that a program has made, in its main thread: told by the telemetry thread of what was measured anywhere. */
import { BroadcastChannel, receiveMessageOnPort } from 'node:worker_threads'
import { context as contextApi, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import { count } from '../core/counters.js'
import { debug, warnOnce } from '../core/log.js'
import { type Surfacer, SurfacerHost } from '../metrics/surfacer.js'
import { type FromSurfacers, surfacersChannel, type ToSurfacers } from '../metrics/surfacer-messages.js'
import { BY_CODE, MEASURES, OBSERVE, SURFACES } from '../ring/layout.js'
import type { ThreadRelay } from './thread-relay.js'

/** What a surfacer does is none of the program's work: the key of OpenTelemetry's SDK for that. */
const QUIET = ROOT_CONTEXT.setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true)

export class MainThreadHost {
  private readonly channel: BroadcastChannel
  private readonly host: SurfacerHost

  constructor(relay: ThreadRelay) {
    this.host = new SurfacerHost([], failed)
    this.channel = new BroadcastChannel(surfacersChannel(relay.connection.channel))
    this.channel.onmessage = (event) => this.tell((event as { data: ToSurfacers }).data)
    // The type definitions lag behind.
    ;(this.channel as unknown as { unref(): void }).unref()
    Atomics.store(relay.control, MEASURES, 1)
    Atomics.or(relay.control, SURFACES, BY_CODE)
    // Instruments look at the word above once in each round.
    Atomics.add(relay.control, OBSERVE, 1)
    Atomics.notify(relay.control, OBSERVE)
  }

  add(surfacers: readonly Surfacer[]): void {
    for (const surfacer of surfacers) this.host.add({ name: nameOf(surfacer), surfacer })
  }

  private tell(message: ToSurfacers): void {
    if (!('events' in message)) return
    const { events } = message
    contextApi.with(QUIET, () => this.host.tell(events))
    this.channel.postMessage({ done: events.length } satisfies FromSurfacers)
  }

  /** Tells at once what has come until now. */
  drain(): void {
    // Receiving works on BroadcastChannels as on ports; the type definitions know only of ports.
    const port = this.channel as unknown as Parameters<typeof receiveMessageOnPort>[0]
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      this.tell(next.message as ToSurfacers)
  }

  /** The process ends: what is not done by then is not done. */
  end(): void {
    this.drain()
    void contextApi.with(QUIET, () => this.host.close(performance.timeOrigin + performance.now()))
  }
}

function nameOf(surfacer: Surfacer): string {
  const name: unknown = (surfacer as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : 'surfacer'
}

function failed(name: string, error: unknown): void {
  count('surfacer.error')
  debug('surfacer %s: %o', name, error)
  warnOnce(
    'THREADSPAN_SURFACER',
    `surfacer ${name}: ${String((error as Error | undefined)?.message ?? error)}`,
  )
}
