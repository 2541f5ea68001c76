/** What instrumentations follow, known as it is loaded, without their code. */
import { isBuiltinLoaded } from '../hooks/builtin-loads.js'
import { onChannelAsked } from '../hooks/channel-asks.js'
import type { Disable } from '../hooks/channels.js'
import { onAnyLoad } from '../hooks/module-loads.js'

/** Channels of `node:http` and of undici, Node's own and installed ones, which are asked for as those are loaded. */
const CHANNELS = /^(?:http\.(?:client|server)\.|undici:)/
/** Node's modules that ask for them; `node:https`, `node:http2` and what Fastify and Express are made on need one of the two. */
const BUILTINS = ['_http_client', '_http_server']

/** Files of packages, by the words that the packages' own files ask for them with. */
export const EXPRESS_FILES = ['./layer', './lib/layer'] as const
export const PG_FILES = ['./client', './native', 'pg-pool'] as const
export const MYSQL2_FILES = [
  './base/connection.js',
  './base/connection',
  './lib/connection.js',
  './connection.js',
  './base/pool.js',
  './base/pool',
  './lib/pool.js',
  './pool.js',
] as const
const FILES: readonly string[] = [...EXPRESS_FILES, ...PG_FILES, ...MYSQL2_FILES]
/** Where the files that ask for them lie. */
const FOLDERS = /[\\/](?:router|pg|mysql2)[\\/]/

/**
 * Calls `then` when this thread loads something that is followed, before the application gets to use it; now where it has been loaded. Until
 * it is ended, `then` may be called again.
 */
export function whenFollowedLoads(then: () => void): Disable {
  if (BUILTINS.some(isBuiltinLoaded)) {
    then()
    return () => {}
  }
  const undo = [
    onChannelAsked((name) => CHANNELS.test(name), then),
    onAnyLoad(FILES, (request, _exports, parent) => {
      if (request === 'pg-pool' || FOLDERS.test(parent?.filename ?? '')) then()
    }),
  ]
  return () => {
    for (const fn of undo.splice(0)) fn()
  }
}
