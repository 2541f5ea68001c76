import type { OnLoad } from '../../hooks/module-loads.js'

/** What is done as the files of pg and pg-pool are loaded. */
export type PgLoads = readonly (readonly [request: './client' | './native' | 'pg-pool', onLoad: OnLoad])[]

/** The file of pg that asks for its clients. */
export const PG_FILE = /[\\/]pg[\\/]lib[\\/]index\.js$/
