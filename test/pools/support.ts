import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after } from 'node:test'
import type { Piscina } from 'piscina'
import type { PoolHost } from '../../src/pools/adapter.js'
import type { ContractPool, ContractSubject } from '../contract/pools.js'

/** The path of a file of this part's fixtures. */
export const fixture = (file: string): string => resolve('test/fixtures/pools', file)

/** A folder that is gone after the tests of this file. */
export const folder = mkdtempSync(join(tmpdir(), 'threadspan-pools-'))
after(() => rmSync(folder, { recursive: true, force: true }))

process.env['THREADSPAN_TEST_SPANS'] = join(folder, 'spans.jsonl')
writeFileSync(process.env['THREADSPAN_TEST_SPANS'], '')

/** CommonJS `require`, as an application of the repository has it. */
export const require = createRequire(join(process.cwd(), 'package.json'))

/** The SDK and the tracing of this thread. */
export const { host } = require(fixture('setup.cjs')) as { host: PoolHost }

/** What makes a worker record: what the preload will do by itself. */
export const execArgv: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  '--require',
  fixture('setup.cjs'),
]

/**
 * Installs a copy of Piscina in a folder of its own.
 * @param edit Changes the text of its files.
 * @returns the file to require.
 */
export function copyOfPiscina(name: string, edit?: (text: string) => string): string {
  const source = join(dirname(require.resolve('piscina')), '..')
  const target = join(folder, name, 'node_modules', 'piscina')
  cpSync(join(source, 'dist'), join(target, 'dist'), { recursive: true })
  cpSync(join(source, 'package.json'), join(target, 'package.json'))
  if (edit !== undefined) {
    for (const each of ['dist/index.js', 'dist/task_queue/index.js', 'dist/worker_pool/index.js']) {
      const file = join(target, each)
      writeFileSync(file, edit(readFileSync(file, 'utf8')))
    }
  }
  return join(target, 'dist/main.js')
}

type PiscinaConstructor = new (options: object) => Piscina

/** Options of a pool of `threads` threads over `tasks.cjs`. */
export const options = (threads: number, more: object = {}): object => ({
  filename: fixture('tasks.cjs'),
  execArgv,
  minThreads: threads,
  maxThreads: threads,
  ...more,
})

/**
 * Piscina as a subject of the contract.
 * @param trace Makes a new pool traced, where it is not from the start.
 */
export function piscinaSubject(
  name: string,
  Pool: PiscinaConstructor,
  knowsOrigin: boolean,
  trace: (pool: Piscina) => Piscina,
): ContractSubject {
  const create = (threads: number, concurrentTasksPerWorker: number, traced: boolean): ContractPool => {
    // A worker that waits in `Atomics.wait` for its first task cannot take a second one meanwhile, and a task that awaits
    // would keep the others from being taken: concurrent tasks need the event loop.
    const atomics = concurrentTasksPerWorker > 1 ? 'disabled' : 'sync'
    const pool = new Pool(options(threads, { concurrentTasksPerWorker, atomics }))
    if (traced) trace(pool)
    return {
      run: (handler, input, more) => pool.run(input, { name: handler, ...more }),
      close: () => pool.close(),
      destroy: () => pool.destroy(),
    }
  }
  return {
    name,
    knowsOrigin,
    create: ({ threads, concurrency = 1 }) => create(threads, concurrency, true),
    createBare: () => create(1, 1, false),
  }
}
