/** What has to be one per thread although this package may be loaded twice: as the preload's bundle and as the modules that the application imports. */
const KEY = Symbol.for('threadspan.shared.0')

/**
 * What is shared, by the room that makes it. Where the shape of one changes, it gets another name (`context.values.2`), so that copies of this
 * package which know the earlier one keep theirs.
 */
export type SharedName =
  | 'boundaries.children'
  | 'boundaries.messages'
  | 'boundaries.preload'
  | 'boundaries.workerClass'
  | 'boundaries.workerThreads'
  | 'boundaries.workers'
  | 'config.live'
  | 'context.arrived'
  | 'context.primitives'
  | 'context.crossed'
  | 'context.deadlines'
  | 'context.emitters'
  | 'context.targets'
  | 'context.told'
  | 'context.functions'
  | 'context.iterators'
  | 'context.manager'
  | 'context.own'
  | 'context.transactions'
  | 'context.ofSpans'
  | 'context.values'
  | 'core.counters'
  | 'core.poolFigures'
  | 'core.stage'
  | 'core.warned'
  | 'decorators.bound'
  | 'decorators.offload'
  | 'errors.domains'
  | 'errors.stray'
  | 'exceptions.describing'
  | 'exceptions.settings'
  | 'hooks.asks'
  | 'hooks.death'
  | 'hooks.end'
  | 'hooks.esModules'
  | 'hooks.loads'
  | 'hooks.parts'
  | 'instrumentation.enabled'
  | 'instrumentation.grpc'
  | 'instrumentation.functions'
  | 'instrumentation.requests'
  | 'metrics.surfacers'
  | 'pools.current'
  | 'pools.known'
  | 'runtime.current'
  | 'runtime.double'
  | 'runtime.link'
  | 'runtime.overlay'
  | 'runtime.surfacers'
  | 'sdk.processors'

/** Source text that gives what is shared by a name, where it has been made. */
export function sharedInSource(name: SharedName): string {
  return `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(KEY))})].get(${JSON.stringify(name)})`
}

/** The thread's one instance of something, made at the first call. */
export function shared<T extends object>(name: SharedName, make: () => T): T {
  const holder = globalThis as { [KEY]?: Map<string, object> }
  if (holder[KEY] === undefined) Object.defineProperty(holder, KEY, { value: new Map() })
  const instances = holder[KEY] as Map<string, object>
  if (!instances.has(name)) instances.set(name, make())
  return instances.get(name) as T
}
