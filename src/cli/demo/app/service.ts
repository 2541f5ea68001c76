import { fork } from 'node:child_process'
import http from 'node:http'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fastify from 'fastify'
import { Piscina } from 'piscina'
import { Orders } from './database.js'
import { largestFiles } from './files.js'
import type { Packed, PackTask } from './pack.js'
import { hasSqlite } from './sqlite.js'

/**
 * A service as anybody might have written it: Fastify, a Piscina pool, SQLite and calls to another service. Nothing in it
 * turns tracing on.
 *
 * Environment: `UPSTREAM`, URL of the other service; `DATABASE`, path of the SQLite file. Without SQLite it has no orders.
 */
const { UPSTREAM = 'http://127.0.0.1:9', DATABASE = ':memory:' } = process.env
const TASKS = 8
const CUSTOMERS = ['ada', 'grace', 'edsger', 'barbara']

const files = largestFiles(TASKS)
const orders = hasSqlite ? new Orders(DATABASE) : undefined
const threads = Math.min(4, Math.max(2, availableParallelism()))
const pool = new Piscina<PackTask, Packed>({
  filename: new URL('./pack.js', import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
})
const app = fastify({ logger: true })
let served = 0
const customer = () => CUSTOMERS[served++ % CUSTOMERS.length] as string

app.get('/', async () => ({ hello: 'world' }))

app.get('/delay', async () => {
  const milliseconds = Math.ceil(Math.random() * 30)
  await delay(milliseconds)
  return { milliseconds }
})

app.get('/upstream', async (request, reply) => {
  const { path = '/ok' } = request.query as { path?: string }
  const status = await call(`${UPSTREAM}${path}`)
  // What the other service cannot do is its fault; what it does not know is the caller's.
  return reply.code(status >= 500 ? 502 : status).send({ upstream: status })
})

app.get('/5xx', async () => {
  throw new Error('The warehouse is on fire')
})

if (orders !== undefined) {
  app.get('/sql-write', async () => ({
    added: orders.add(customer(), Math.round(Math.random() * 10_000) / 100),
  }))
  app.get('/sql-read', async () => orders.of(customer()))
  app.get('/sql-group', async () => orders.byCustomer())
}

app.get('/fanout', async () => {
  const packed = Promise.all(files.map((file) => pool.run({ file, upstream: UPSTREAM })))
  const [packages, report] = await Promise.all([packed, makeReport([1, 2, 3])])
  return { packages, report }
})

function call(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get(url, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
      .on('error', reject)
  })
}

function makeReport(numbers: number[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let report: unknown
    const child = fork(fileURLToPath(new URL('./report.js', import.meta.url)), numbers.map(String))
    child.on('error', reject)
    child.on('message', (message) => {
      report = message
    })
    child.on('exit', (code) =>
      code === 0 ? resolve(report) : reject(new Error(`The report ended with ${code}`)),
    )
  })
}

process.once('SIGTERM', async () => {
  await app.close()
  await pool.destroy()
  orders?.close()
})

console.log(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}`)
