import type { Disable } from '../../hooks/channels.js'
import { onEsModule } from '../../hooks/es-module-loads.js'
import { type OnLoad, onLoads } from '../../hooks/module-loads.js'
import { type Method, patchMethod, prototypeOf } from '../../hooks/patch-method.js'
import { filesOf } from '../libraries.js'

/** What is done with the parts of the connector, which is ES modules and one bundled CommonJS file, or CommonJS files before 3.5. */
export interface ConnectorParts {
  /** The prototype of what applications get: connections and pools, with promises and with callbacks. */
  face(prototype: object): void
  /** The prototype of a connection or a pool behind those. */
  inner(prototype: object): void
  /** What stands for a function that makes a connection, a pool or a cluster. */
  factory(original: Method, name: string): Method
}

/** A file of the package. */
const FILE = /[\\/]mariadb(?:-[^\\/]*)?[\\/](?:lib[\\/])?[^\\/]+\.js$/
const MODULE = /\/mariadb[^/]*\/lib\/(?:connection|pool)(?:-promise|-callback)?\.js$/
/** The files of classes that applications get, and those behind them; the latter are told apart by their names. */
const FACES = ['connection-promise', 'connection-callback', 'pool-promise', 'pool-callback']
const INNER = ['connection', 'pool']
const FACTORIES = ['createConnection', 'createPool', 'createPoolCluster']

/** What a bundle's exports were replaced by: they cannot be changed. */
const replaced = new WeakMap<object, object>()

export function onConnector({ face, inner, factory }: ConnectorParts): Disable {
  const see = (file: string, exported: unknown): void => {
    const prototype = prototypeOf(exported)
    if (prototype === undefined) return
    if (/-(?:promise|callback)(?:\.js)?$/.test(file)) face(prototype)
    else inner(prototype)
  }
  const words = [...FACES, ...INNER].flatMap((name) => [`./lib/${name}`, `./${name}`])
  const onFile: OnLoad = ({ request, exports, parent }) => {
    if (FILE.test(parent)) see(request, exports)
  }
  const undo = [
    onLoads(new Map(words.map((request) => [request, onFile]))),
    onLoads(
      new Map<string, OnLoad>(
        filesOf('mariadb')
          .filter((request) => !request.startsWith('.'))
          .map((request) => [request, ({ exports }) => withFactories(exports as object, factory)]),
      ),
    ),
    onEsModule({
      file: MODULE,
      loaded: (namespace, url) => see(url, (namespace as { default?: unknown }).default),
    }),
  ]
  return () => {
    for (const fn of undo) fn()
  }
}

function withFactories(exports: object, factory: ConnectorParts['factory']): object {
  const known = replaced.get(exports)
  if (known !== undefined) return known
  const properties = Object.getOwnPropertyDescriptors(exports) as Record<string, PropertyDescriptor>
  for (const name of FACTORIES) {
    const original: unknown = Reflect.get(exports, name)
    if (typeof original !== 'function') continue
    const value = factory(original as Method, name)
    Object.defineProperty(value, 'name', { value: original.name, configurable: true })
    Object.defineProperty(value, 'length', { value: original.length, configurable: true })
    properties[name] = { value, configurable: true, enumerable: true, writable: true }
  }
  const copy = Object.create(Object.getPrototypeOf(exports) as object | null, properties) as {
    default?: object
  }
  replaced.set(exports, copy)
  replaced.set(copy, copy)
  if (copy.default !== undefined)
    for (const name of FACTORIES) patchMethod(copy.default, name, (original) => factory(original, name))
  return copy
}
