import { SpanKind, type SpanOptions } from '@opentelemetry/api'
import { Span } from 'threadspan'
import { type Connection, openSqlite } from './sqlite.js'

const INSERT = 'INSERT INTO orders (customer, amount) VALUES (?, ?)'
const SELECT = 'SELECT id, customer, amount FROM orders WHERE customer = ? ORDER BY id DESC LIMIT 20'
const GROUP =
  'SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer ORDER BY total DESC'

/** The orders of a small shop, in an SQLite file; each statement is a span. */
export class Orders {
  readonly #connection: Connection

  constructor(file: string) {
    this.#connection = openSqlite(file)
    this.#connection.exec(
      'CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, amount REAL NOT NULL)',
    )
  }

  @Span('INSERT orders', statement(INSERT))
  add(customer: string, amount: number): number {
    return this.#connection.run(INSERT, [customer, amount])
  }

  @Span('SELECT orders', statement(SELECT))
  of(customer: string): Record<string, unknown>[] {
    return this.#connection.all(SELECT, [customer])
  }

  @Span('SELECT orders', statement(GROUP))
  byCustomer(): Record<string, unknown>[] {
    return this.#connection.all(GROUP, [])
  }

  close(): void {
    this.#connection.close()
  }
}

/** What the span of a statement says. */
function statement(sql: string): SpanOptions {
  const attributes = {
    'db.system.name': 'sqlite',
    // The older name, which some backends still look for.
    'db.system': 'sqlite',
    'db.query.text': sql,
    'db.collection.name': 'orders',
    'db.operation.name': sql.slice(0, sql.indexOf(' ')),
  }
  return { kind: SpanKind.CLIENT, attributes }
}
