import { createRequire } from 'node:module'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

/** As far as this program uses it; the package describes itself only as a global module. */
interface Connection {
  run(sql: string, values?: unknown): { changes: number }
  all(sql: string, values?: unknown): Record<string, unknown>[]
  exec(sql: string): void
  close(): void
}

const sqlite = createRequire(import.meta.url)('node-sqlite3-wasm') as {
  Database: new (file: string) => Connection
}

const tracer = trace.getTracer('shop')

const INSERT = 'INSERT INTO orders (customer, amount) VALUES (?, ?)'
const SELECT = 'SELECT id, customer, amount FROM orders WHERE customer = ? ORDER BY id DESC LIMIT 20'
const GROUP =
  'SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer ORDER BY total DESC'

/** The orders of a small shop, in an SQLite file; each statement is a span. */
export class Orders {
  readonly #connection: Connection

  constructor(file: string) {
    this.#connection = new sqlite.Database(file)
    this.#connection.exec(
      'CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, amount REAL NOT NULL)',
    )
  }

  add(customer: string, amount: number): number {
    return statement('INSERT orders', INSERT, () => this.#connection.run(INSERT, [customer, amount]).changes)
  }

  of(customer: string): Record<string, unknown>[] {
    return statement('SELECT orders', SELECT, () => this.#connection.all(SELECT, [customer]))
  }

  byCustomer(): Record<string, unknown>[] {
    return statement('SELECT orders', GROUP, () => this.#connection.all(GROUP))
  }

  close(): void {
    this.#connection.close()
  }
}

function statement<T>(name: string, sql: string, work: () => T): T {
  const attributes = {
    'db.system.name': 'sqlite',
    // The older name, which some backends still look for.
    'db.system': 'sqlite',
    'db.query.text': sql,
    'db.collection.name': 'orders',
    'db.operation.name': name.slice(0, name.indexOf(' ')),
  }
  return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, (span) => {
    try {
      return work()
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message })
      throw error
    } finally {
      span.end()
    }
  })
}
