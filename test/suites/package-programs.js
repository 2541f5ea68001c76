// Programs of users, which the checks of the package write into empty folders.

/** What the README's programs take as given. */
export const GIVEN = `
import { EventEmitter } from 'node:events'
import { Snapshot, capture } from 'threadspan'

Object.assign(globalThis, {
  files: ['a.png', 'b.png'],
  resize: (file) => file,
  emitter: new EventEmitter(),
  onReady() {},
  job: 1,
  work: (job) => job,
  worker: { postMessage: (message) => structuredClone(message) },
  message: { job: 1, carrier: capture().toCarrier() },
})
`

/** A program that knows nothing of tracing but OpenTelemetry's API. */
export const APP = `
import { trace } from '@opentelemetry/api'
import { Piscina } from 'piscina'

const pool = new Piscina({ filename: new URL('./handler.js', import.meta.url).href, maxThreads: 1 })
await trace.getTracer('app').startActiveSpan('job', async (span) => {
  if ((await pool.run(1)) !== 2) process.exitCode = 3
  span.end()
})
await pool.destroy()
`

/** Prints what a worker that does nothing has loaded. */
export const LOADS = `
const { Worker, isMainThread, parentPort } = require('node:worker_threads')
if (isMainThread) {
  new Worker(__filename).once('message', (loaded) => console.log(JSON.stringify(loaded)))
} else {
  const builtins = process.moduleLoadList.map((name) => /^NativeModule (?!internal\\/)(.+)/.exec(name)?.[1])
  parentPort.postMessage({ files: Object.keys(require.cache), builtins: builtins.filter(Boolean) })
}
`

const LIST = `
const names = [main, worker].flatMap((entry) => Object.keys(entry).filter((name) => name !== 'module.exports').sort())
if ([main, worker].some((entry) => Object.values(entry).includes(undefined))) throw new Error('an export is undefined')
console.log(JSON.stringify(names))
`

/** Prints the names of all exports. */
export const EXPORTS_ESM = `
import * as main from 'threadspan'
import * as worker from 'threadspan/worker'
${LIST}`

/** The same in CommonJS. */
export const EXPORTS_CJS = `
const main = require('threadspan')
const worker = require('threadspan/worker')
${LIST}`

/** Compiles where the types are what the reference says. */
export const ESM_TYPES = `
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Carrier, bind, capture, propagate, Snapshot, start, tracePool, withTransaction } from 'threadspan'
import { traceTask } from 'threadspan/worker'
import 'threadspan/register'

const started: boolean = start()
const carrier: Carrier = capture().toCarrier()
const number: number = Snapshot.from(carrier, { remote: false }).run((n: number) => n, 1)
const promise: Promise<number> = withTransaction('job', async () => number)
const handler = traceTask((n: number) => String(n))
const bound: (text: string) => number = bind((text: string) => text.length)
propagate(new AsyncLocalStorage<string>(), { name: 'request' })
const pool: { run(task: number): Promise<string> } = tracePool({ run: async (task: number) => String(task) })
// @ts-expect-error a snapshot is not made by hand
new Snapshot().run()
export { bound, handler, pool, promise, started }
`

/** CommonJS, for TypeScript 5.8 and later. */
export const CJS_TYPES = `
import { capture } from 'threadspan'
import threadspan = require('threadspan')

export const same: boolean = capture().toCarrier() === threadspan.capture().toCarrier()
`

/** Load what has no exports of its own, print the version, and see that context is managed. */
export const PRELOAD_ESM = `
import 'threadspan/register'
import { context, createContextKey } from '@opentelemetry/api'
import { createRequire } from 'node:module'
const { version } = createRequire(import.meta.url)('threadspan/package.json')
const key = createContextKey('x')
const found = context.with(context.active().setValue(key, 1), () => context.active().getValue(key))
console.log(found === 1 ? version : 'not managed')
`

/** The same in CommonJS. */
export const PRELOAD_CJS = `
require('threadspan/register')
const { context, createContextKey } = require('@opentelemetry/api')
const { version } = require('threadspan/package.json')
const key = createContextKey('x')
const found = context.with(context.active().setValue(key, 1), () => context.active().getValue(key))
console.log(found === 1 ? version : 'not managed')
`
