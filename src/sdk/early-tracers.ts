import type { TracerProvider } from '@opentelemetry/api'
import { API_FILE } from './late-api.js'

/** The provider that each copy of the API gives out until one is registered, and that asks that one from then on. */
interface Proxied {
  setDelegate(provider: TracerProvider): void
  /** Undefined until a provider was registered through this copy. */
  readonly _delegate?: unknown
}

/**
 * Gives tracers and providers to record with that the application asked for before anything was registered: a copy of the API tells
 * them only of what is registered through that very copy, which ours is not.
 */
export function adoptEarlyTracers(provider: TracerProvider): void {
  const { _cache: cache } = process.getBuiltinModule('node:module') as unknown as {
    _cache?: Record<string, { exports?: unknown } | undefined>
  }
  for (const file in cache) {
    if (!API_FILE.test(file)) continue
    const proxied = proxiedIn(cache[file]?.exports)
    if (proxied !== undefined && proxied._delegate === undefined) proxied.setDelegate(provider)
  }
}

function proxiedIn(exports: unknown): Proxied | undefined {
  const { trace } = (exports ?? {}) as { trace?: { _proxyTracerProvider?: Partial<Proxied> } }
  const proxied = trace?._proxyTracerProvider
  return typeof proxied?.setDelegate === 'function' ? (proxied as Proxied) : undefined
}
