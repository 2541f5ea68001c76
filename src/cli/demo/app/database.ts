import { Span } from 'threadspan'
import { type Connection, openSqlite } from './sqlite.js'

const INSERT = 'INSERT INTO orders (customer, amount) VALUES (?, ?)'
const SELECT = 'SELECT id, customer, amount FROM orders WHERE customer = ? ORDER BY id DESC LIMIT 20'
const GROUP =
  'SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer ORDER BY total DESC'

/** The orders of a small shop, in an SQLite file; each statement is a span, without a word about it here. */
export class Orders {
  readonly #connection: Connection

  constructor(file: string) {
    this.#connection = openSqlite(file)
    this.#connection.exec(
      'CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, amount REAL NOT NULL)',
    )
  }

  add(customer: string, amount: number): number {
    return this.#connection.run(INSERT, [customer, amount])
  }

  of(customer: string): Record<string, unknown>[] {
    return this.#connection.all(SELECT, [customer])
  }

  @Span('orders by customer')
  byCustomer(): Record<string, unknown>[] {
    return this.#connection.all(GROUP, [])
  }

  close(): void {
    this.#connection.close()
  }
}
