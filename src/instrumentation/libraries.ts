/** What instrumentations follow, as plain data: the preload, the instrumentations, `threadspan doctor` and the docs' table go by this list. */

/** What speaks HTTP, clients of databases, loggers. */
export type Kind = 'web' | 'databases' | 'loggers'

/** A library, and how it is noticed that a thread loads it. */
export interface Library {
  /** OpenTelemetry's name for its instrumentation, as `OTEL_NODE_DISABLED_INSTRUMENTATIONS` has it. */
  readonly name: string
  /** Beginnings of the names of channels that it asks `node:diagnostics_channel` for as it is loaded. */
  readonly channels?: readonly string[]
  /** Node's modules that it is in, or is made on. */
  readonly builtins?: readonly string[]
  /** The words that its CommonJS files are asked for with, by files in `folder`. */
  readonly files?: readonly string[]
  /** A folder on the way to the files that ask. */
  readonly folder?: string
  /** Matches the URL of its ES module that is followed. */
  readonly module?: RegExp
  /** What it is, where it does not speak HTTP: each kind is followed by a part of its own. */
  readonly kind?: Kind
}

/** The file of postgres.js, as an ES module, that has its queries. */
export const POSTGRES_MODULE = /[\\/]postgres[^\\/]*[\\/]src[\\/]query\.js$/

export const LIBRARIES = [
  { name: 'http', channels: ['http.client.', 'http.server.'], builtins: ['_http_client', '_http_server'] },
  { name: 'undici', channels: ['undici:'] },
  { name: 'fastify' },
  { name: 'express', files: ['./layer', './lib/layer'], folder: 'router' },
  { name: 'koa', files: ['./context'], folder: 'koa' },
  { name: 'hapi', files: ['./request'], folder: 'hapi' },
  { name: 'pg', files: ['./client', './native', 'pg-pool'], folder: 'pg', kind: 'databases' },
  { name: 'postgres', files: ['./query.js'], folder: 'postgres', module: POSTGRES_MODULE, kind: 'databases' },
  {
    name: 'mysql2',
    channels: ['tracing:mysql2:'],
    files: [
      './base/connection.js',
      './base/connection',
      './lib/connection.js',
      './connection.js',
      './base/pool.js',
      './base/pool',
      './lib/pool.js',
      './pool.js',
    ],
    folder: 'mysql2',
    kind: 'databases',
  },
  {
    name: 'ioredis',
    channels: ['tracing:ioredis:'],
    files: ['./Redis'],
    folder: 'ioredis',
    kind: 'databases',
  },
  {
    name: 'redis',
    channels: ['tracing:node-redis:'],
    files: ['./commands-queue'],
    folder: 'client',
    kind: 'databases',
  },
  {
    name: 'pino',
    files: ['./lib/tools', './tools'],
    folder: 'pino',
    kind: 'loggers',
  },
  {
    name: 'winston',
    files: ['./winston/logger', './logger'],
    folder: 'winston',
    kind: 'loggers',
  },
  {
    name: 'bunyan',
    files: ['bunyan', 'safe-json-stringify'],
    folder: 'bunyan',
    kind: 'loggers',
  },
] as const satisfies readonly Library[]

/** What can be left out, by OpenTelemetry's names for it. `http` is servers and clients of `node:http`, `node:https` and `node:http2`. */
export type InstrumentationName = (typeof LIBRARIES)[number]['name']

/** Matches paths below a package's folder, and below one that an application has it in by another name (`npm:` aliases: `mysql2-next`). */
export function inFolder(name: string): RegExp {
  return new RegExp(`[\\\\/]${name}(?:-[^\\\\/]*)?[\\\\/]`)
}

type Filed = Extract<(typeof LIBRARIES)[number], { readonly files: unknown }>

/** The words that a library's files are asked for with. */
export function filesOf<N extends Filed['name']>(name: N): Extract<Filed, { name: N }>['files'] {
  return (LIBRARIES as readonly Library[]).find((library) => library.name === name)!.files as never
}
