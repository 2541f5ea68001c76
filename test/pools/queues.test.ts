import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import { Tinypool } from 'tinypool'
import { start, tracePool, withTransaction } from '#dist/index.js'
import { fixture } from '../support/program.js'

interface Task {
  readonly name: string
  readonly filename: string
}

/** Takes urgent tasks first, as Piscina's documentation allows. */
class ByName {
  readonly seen: string[] = []
  readonly #tasks: Task[] = []
  get size(): number {
    return this.#tasks.length
  }
  push(task: Task): void {
    this.seen.push(`${basename(task.filename)} ${task.name}`)
    this.#tasks.push(task)
  }
  remove(task: Task): void {
    this.#tasks.splice(this.#tasks.indexOf(task), 1)
  }
  shift(): Task | null {
    const urgent = this.#tasks.findIndex(({ name }) => name === 'urgent')
    return this.#tasks.splice(Math.max(urgent, 0), 1)[0] ?? null
  }
}

describe('a traced pool', () => {
  it('shows tasks to a queue of the application’s as they were submitted', async () => {
    process.env['OTEL_TRACES_EXPORTER'] = 'file'
    process.env['THREADSPAN_FILE'] = '/dev/null'
    start()
    const orders: string[] = []
    for (const isTraced of [false, true]) {
      const queue = new ByName()
      const filename = pathToFileURL(fixture('pools/named.mjs')).href
      const pool = new Piscina({ filename, taskQueue: queue as never, minThreads: 1, maxThreads: 1 })
      if (isTraced) tracePool(pool)
      const order: number[] = []
      const run = (id: number, name: string) =>
        pool.run(id, { name }).then((done) => order.push(done as number))
      await withTransaction('submitting', () =>
        Promise.all([run(1, 'default'), run(2, 'default'), run(3, 'default'), run(4, 'urgent')]),
      )
      const gone = new AbortController()
      const aborted = pool.run(5, { signal: gone.signal })
      const beyond = pool.run(6, { signal: gone.signal })
      gone.abort()
      await assert.rejects(aborted)
      await assert.rejects(beyond)
      orders.push(`${order} ${queue.seen}`)
      await pool.destroy()
    }
    assert.match(orders[0]!, /^1,4,/)
    assert.equal(orders[1], orders[0])
  })

  it('is one of Tinypool too, in threads and in child processes', async () => {
    for (const runtime of ['worker_threads', 'child_process'] as const) {
      const pool = new Tinypool({
        runtime,
        filename: fixture('pools/named.mjs'),
        minThreads: 1,
        maxThreads: 1,
      })
      const { run } = pool
      assert.equal(tracePool(pool), pool)
      assert.notEqual(pool.run, run)
      assert.equal(await withTransaction('request', () => pool.run(7)), 7)
      assert.equal(await pool.run(8, { name: 'urgent' }), 8)
      await pool.destroy()
    }
  })

  it('is none of a class that only looks like one', () => {
    class Other {
      run(): void {}
      destroy(): void {}
      get threads(): never[] {
        return []
      }
    }
    assert.throws(() => tracePool(new Other()), { code: 'THREADSPAN_POOL_UNKNOWN' })
  })
})
