/** Where the connections and pools of the connector go, by what they were made with. */
import { type Database, databaseOf } from '../database-span.js'

/** Options as the application gives them, and as the connector keeps them. */
interface Options {
  readonly host?: unknown
  readonly port?: unknown
  readonly socketPath?: unknown
  readonly database?: unknown
  /** Of a pool, in the connector. */
  readonly connOptions?: Options
}

const DEFAULT_PORT = 3306
/** `mariadb://user:password@host:port/database?options` */
const URL_OF = /^[a-z]+:\/\/(?:[^/]*@)?([^/:?]*)(?::(\d+))?(?:\/([^?]*))?/i

export function databaseOfOptions(given: unknown): Database {
  const options = typeof given === 'string' ? ofUrl(given) : ((given ?? {}) as Options)
  const { host = 'localhost', port = DEFAULT_PORT, socketPath, database } = options.connOptions ?? options
  return databaseOf('mariadb', database, socketPath ?? host, port)
}

function ofUrl(text: string): Options {
  const [, host, port, database] = URL_OF.exec(text) ?? []
  return { host, port, database }
}
