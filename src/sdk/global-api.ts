/**
 * Lets an SDK that the application registers take the place of what this package has registered with OpenTelemetry's API.
 *
 * The API keeps what is registered in one object behind a global symbol, whichever of its copies is asked. It refuses a second
 * registration of a kind, and one by a copy whose version differs from the first one's. What its copies (1.x) do with the global:
 *
 *   a look-up      reads the global, then its `version` and the kind
 *   a registration reads the global, **writes** it back, reads the kind (which must be empty), reads `version` (which must be the
 *                  copy's own), then writes the kind
 *
 * So the global is an accessor: the write announces a registration before anything has been checked. What is ours reads as
 * empty then, and `version` as the version of the copy that registers, until the next read of the global. Everything else
 * sees the highest version that ever registered, which each of the copies understands: they accept what is newer.
 *
 * A registration by another than us over one that is not ours fails as ever.
 */
import { API_KEY } from '../core/api-key.js'
import { warnOnce } from '../core/log.js'
import { callingApiVersion } from './api-version.js'

const KINDS = ['trace', 'context', 'propagation', 'metrics'] as const

/** What this package registers, and yields. */
export type ApiKind = (typeof KINDS)[number]

/**
 * Look-ups after which nobody is expected to register any more: SDKs do so while a program starts. The global becomes a plain
 * property then, which is read in half the time; every use of a context reads it once or twice.
 */
const ENOUGH = 1_000_000
const PLAIN = { enumerable: true, configurable: true, writable: true }

type Registry = { version: string } & Record<string, unknown>
type Holder = { [API_KEY]?: Registry | undefined }

export interface GlobalApiOptions {
  /**
   * Registers our own. With those kinds that the application has registered already nothing may happen to the application's: a
   * TracerProvider must not be registered then, since the one copy of the API has one delegate.
   */
  readonly register: (isFree: (kind: ApiKind) => boolean) => void
  /**
   * The application has registered its own, now or before.
   * @returns What is to be registered: that, or something around it.
   */
  readonly taken: (kind: ApiKind, registered: unknown) => unknown
}

/**
 * Registers what this package has for those kinds that nobody has registered yet, and gives each back to whoever registers
 * one later. Once per thread. Where the global cannot be watched, ours is registered and stays.
 */
export function shareGlobalApi({ register, taken }: GlobalApiOptions): void {
  const holder = globalThis as Holder
  const before = holder[API_KEY]
  const isFree = (kind: ApiKind) => before?.[kind] === undefined
  if (Object.getOwnPropertyDescriptor(holder, API_KEY)?.configurable === false) {
    register(isFree)
    return
  }
  // In an empty place our copy of the API makes a registry of its own version.
  delete holder[API_KEY]
  register(isFree)
  const own = holder[API_KEY]
  if (own === undefined) {
    if (before !== undefined) holder[API_KEY] = before
    return
  }
  new SharedRegistry(before, own, taken).watch(holder)
}

class SharedRegistry {
  /** Plain but for the moment of a registration, so that a look-up, which each use of a context is, costs next to nothing. */
  private readonly registry: Registry
  private readonly ours = new Map<ApiKind, unknown>()
  /** The highest version that ever registered. */
  private version: string
  private isRegistering = false
  /** Whether the version that registers is not known. */
  private mayBeRefused = false

  constructor(
    before: Registry | undefined,
    own: Registry,
    private readonly taken: GlobalApiOptions['taken'],
  ) {
    this.version = newer(before?.version ?? own.version, own.version)
    this.registry = { ...before, version: this.version }
    for (const kind of KINDS) {
      const value = this.registry[kind]
      if (value !== undefined) this.registry[kind] = taken(kind, value)
      else if (own[kind] !== undefined) {
        this.ours.set(kind, own[kind])
        this.registry[kind] = own[kind]
      }
    }
  }

  watch(holder: Holder): void {
    const { registry } = this
    let lookUps = 0
    const announced = (caller: (value: unknown) => void) => this.begin(callingApiVersion(caller))
    Object.defineProperty(holder, API_KEY, {
      get: () => {
        if (this.isRegistering) this.end()
        if (++lookUps === ENOUGH) Object.defineProperty(holder, API_KEY, { value: registry, ...PLAIN })
        return registry
      },
      set: function set(value: unknown) {
        if (value === registry) announced(set)
        // Somebody starts over with a registry of his own, which is what he gets.
        else Object.defineProperty(holder, API_KEY, { value, ...PLAIN })
      },
      enumerable: true,
      configurable: true,
    })
  }

  /** Somebody whose copy of the API is of this version is about to look whether he may register, and then will. */
  private begin(version: string | undefined): void {
    const { registry, ours } = this
    this.isRegistering = true
    this.mayBeRefused = version === undefined
    for (const kind of ours.keys()) {
      // The API's `disable()` deletes: what is registered after it is not ours either, but nothing is put back.
      if (!Object.hasOwn(registry, kind)) ours.set(kind, undefined)
      Object.defineProperty(registry, kind, {
        get: () => (this.isRegistering ? undefined : ours.get(kind)),
        set: (given: unknown) => this.take(kind, given),
        enumerable: true,
        configurable: true,
      })
    }
    if (version === undefined) return
    this.version = newer(this.version, version)
    registry.version = version
  }

  private take(kind: ApiKind, given: unknown): void {
    this.mayBeRefused = false
    this.ours.delete(kind)
    Object.defineProperty(this.registry, kind, { value: given, ...PLAIN })
    this.registry[kind] = this.taken(kind, given)
  }

  /** It has registered, or was refused. */
  private end(): void {
    this.isRegistering = false
    for (const [kind, value] of this.ours) Object.defineProperty(this.registry, kind, { value, ...PLAIN })
    this.registry.version = this.version
    if (this.mayBeRefused && this.ours.size > 0) {
      warnOnce(
        'THREADSPAN_SDK_REFUSED',
        `An OpenTelemetry SDK could not be registered over threadspan: which version of @opentelemetry/api it uses is hidden in a bundle, and it is not ${this.version}. ` +
          'Keep @opentelemetry/api out of the bundle.',
      )
    }
  }
}

/** The higher of two versions of one major version. */
function newer(a: string, b: string): string {
  const [, minorA = 0, patchA = 0] = a.split('.').map((part) => Number.parseInt(part, 10))
  const [, minorB = 0, patchB = 0] = b.split('.').map((part) => Number.parseInt(part, 10))
  return minorB > minorA || (minorB === minorA && patchB > patchA) ? b : a
}
