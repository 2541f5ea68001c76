import type { FrameworkName } from './frameworks/libraries.js'

/** What instrumentations follow, as plain data: the preload, the instrumentations, `threadspan doctor` and the docs' table go by this list. */

/** What speaks HTTP (frameworks on it have a list of their own), clients of databases, SQLite within the process, clients of queues, remote procedure calls, loggers: each kind is followed by a part of its own. */
export type Kind = keyof typeof NOTICED

/** A library, and how it is noticed that a thread loads it. */
export interface Library {
  /** OpenTelemetry's name for its instrumentation, as `OTEL_NODE_DISABLED_INSTRUMENTATIONS` has it. */
  readonly name: InstrumentationName
  readonly kind: Kind
  /** Beginnings of the names of channels that it asks `node:diagnostics_channel` for as it is loaded. */
  readonly channels: readonly string[]
  /** Node's modules that it is in, or is made on. */
  readonly builtins: readonly string[]
  /** The words that its CommonJS files are asked for with: by files in `folder`, or by anyone where it is no relative path. */
  readonly files: readonly string[]
  /** A folder on the way to the files that ask. */
  readonly folder: string
  /** Matches the URL by which its ES module is noticed; one that is Node's has no other. */
  readonly module: RegExp | undefined
}

/**
 * Frameworks that may be loaded before Node's HTTP is, as applications ask for them: that is followed from then on, and so are they. Of graphql also
 * as its own files ask, for ES modules of applications get copies of what it exports.
 */
export const FRAMEWORK_REQUESTS = [
  '@nestjs/core',
  '@trpc/server',
  'h3',
  'hono',
  './execution/execute.js',
] as const

/** Paths and URLs of their files. */
export const FRAMEWORK_FILES = /node_modules[\\/](?:@nestjs|@trpc|graphql|h3|hono)/

/** Next's tracer, as its files ask for it. */
export const NEXT_REQUESTS = [
  './lib/trace/tracer',
  '../lib/trace/tracer',
  '../../lib/trace/tracer',
  '../../server/lib/trace/tracer',
  'next/dist/server/lib/trace/tracer',
] as const
export const NEXT_FILE = /[\\/]next[\\/]dist[\\/]server[\\/]lib[\\/]trace[\\/]tracer\.js$/

/**
 * By kind and name, in few bytes, since every thread reads them: words for a library's files, with `channel:`, `node:`, `esm:` and `in:` before
 * those of its channels, of Node's modules, of the end of its ES modules' URLs, and of its folder where that has another name.
 */
const NOTICED = {
  web: {
    http: `channel:http.client. channel:http.server. node:_http_client node:_http_server in:graphql ${FRAMEWORK_REQUESTS.join(' ')}`,
    undici: 'channel:undici:',
    fastify: '',
    express: 'in:router ./layer ./lib/layer',
    koa: './context koa-compose',
    hapi: './request',
  },
  databases: {
    pg: './client ./native pg-pool',
    postgres: './query.js esm:/src/query.js',
    mysql2:
      'channel:tracing:mysql2: ./base/connection.js ./base/connection ./lib/connection.js ./connection.js ./base/pool.js ./base/pool ./lib/pool.js ./pool.js',
    ioredis: 'channel:tracing:ioredis: ./Redis',
    redis: 'channel:tracing:node-redis: in:client ./commands-queue',
    mongodb: './operations/execute_operation',
    mariadb:
      'mariadb mariadb/callback ./lib/connection ./lib/connection-callback esm:/(?:promise|callback).js',
  },
  sqlite: {
    sqlite: 'node:sqlite channel:sqlite.db. esm:node:sqlite',
    'better-sqlite3': './methods/wrappers',
    'node-sqlite3-wasm': 'node-sqlite3-wasm esm:/dist/.*',
  },
  messaging: {
    bullmq: './child-processor ./queue',
    amqplib: './lib/channel_model ./lib/callback_model',
  },
  rpc: {
    grpc: 'in:grpc-js ./client-interceptors',
  },
  loggers: {
    pino: './lib/tools ./tools',
    winston: './winston/logger ./logger',
    bunyan: 'bunyan safe-json-stringify',
  },
} as const

/** What can be left out, by OpenTelemetry's names for it. `http` is servers and clients of `node:http`, `node:https` and `node:http2`. */
export type InstrumentationName = { [K in Kind]: keyof (typeof NOTICED)[K] }[Kind] | FrameworkName

export const LIBRARIES: readonly Library[] = (Object.keys(NOTICED) as Kind[]).flatMap((kind) =>
  Object.entries(NOTICED[kind]).map(([name, text]) => libraryOf(kind, name as InstrumentationName, text)),
)

function libraryOf(kind: Kind, name: InstrumentationName, text: string): Library {
  const words = text.split(' ')
  const after = (start: string): string[] =>
    words.filter((word) => word.startsWith(start)).map((word) => word.slice(start.length))
  const builtins = after('node:')
  const [end] = after('esm:')
  return {
    name,
    kind,
    channels: after('channel:'),
    builtins,
    files: words.filter((word) => /^(?:node:)?[@./\w-]+$/.test(word)),
    folder: after('in:')[0] ?? name,
    module:
      name === 'http'
        ? FRAMEWORK_FILES
        : end === undefined
          ? undefined
          : RegExp(`/${name}[^/]*${end}$|^${end}$`),
  }
}

/** Matches paths below a package's folder, and below one that an application has it in by another name (`npm:` aliases: `mysql2-next`). */
export function inFolder(name: string): RegExp {
  return new RegExp(`[\\\\/]${name}(?:-[^\\\\/]*)?[\\\\/]`)
}

/** What is enough to notice that something is loaded. */
export type Noticed = { readonly [K in 'channels' | 'builtins' | 'files' | 'folder' | 'module']?: Library[K] }

/** The words that a library's files are asked for with. */
export function filesOf(name: InstrumentationName): readonly string[] {
  return LIBRARIES.find((library) => library.name === name)!.files
}

/** What matches the URLs of a library's ES modules. */
export function moduleOf(name: InstrumentationName): RegExp {
  return LIBRARIES.find((library) => library.name === name)!.module!
}
