// The table of docs/instrumentations.md: what is made of each client, version by version. Every cell is run, against servers that are started for it.
// Usage: node test/suites/clients.js [--only <part of a name>] [--write]
// Needs PostgreSQL, MariaDB and Redis as Debian has them; it installs nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { startMariadb, startPostgresql, startRedis } = await import('../../build/test/support/databases.js')
const { startMongo } = await import('../../build/test/support/mongo-server.js')
const { byRequest, observeClient, REQUESTS } = await import('../../build/test/clients/support.js')

process.chdir(fileURLToPath(new URL('../..', import.meta.url)))
const require = createRequire(import.meta.url)
const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, write: { type: 'boolean' } },
})
const major = Number(process.versions.node.split('.')[0])
const hasHooks = 'registerHooks' in module

const BEGIN = '<!-- clients -->'
const END = '<!-- /clients -->'
const COLUMNS = [
  'spans',
  'statement',
  'server',
  'error',
  'pool of 1',
  'pool of 10',
  'callbacks',
  'promises',
  'streams',
  'CommonJS',
  'ES modules',
  'Worker',
  'child',
  'no secrets',
]
/** By what a scenario says of where it is. */
const WAYS = {
  callbacks: ['callback', 'connection', 'transaction', 'commit'],
  promises: ['promise', 'query', 'insert', 'find', 'failure', 'multi'],
  streams: ['row', 'end', 'cursor', 'iteration'],
}

const CLIENTS = [
  { name: 'pg', on: 'postgresql', env: { PGDATABASE: 'postgres' } },
  { name: 'postgres', on: 'postgresql', esm: true, lacks: ['server'] },
  { name: 'mysql2', on: 'mariadb' },
  { name: 'mysql2-3.11', scenario: 'mysql2', on: 'mariadb' },
  { name: 'mariadb', on: 'mariadb', esm: true },
  { name: 'mariadb/callback', scenario: 'mariadb-callback', on: 'mariadb', esm: true },
  { name: 'mariadb-3.4', scenario: 'mariadb', on: 'mariadb' },
  { name: 'mariadb-3.4/callback.js', scenario: 'mariadb-callback', on: 'mariadb' },
  { name: 'ioredis', on: 'redis', isAlone: true },
  { name: 'ioredis-5.4', scenario: 'ioredis', on: 'redis', isAlone: true },
  { name: 'redis', on: 'redis', isAlone: true },
  { name: 'redis-4', scenario: 'redis', on: 'redis', isAlone: true, lacks: ['server'] },
  { name: 'mongodb', on: 'mongo' },
  { name: 'mongodb-6', scenario: 'mongodb', on: 'mongo' },
  { name: 'mongoose', on: 'mongo' },
  { name: 'mongoose-8', scenario: 'mongoose', on: 'mongo' },
  { name: 'node:sqlite', scenario: 'sqlite', esm: true, since: 22, isAlone: true, isLocal: true },
  { name: 'better-sqlite3', since: 22, isAlone: true, isLocal: true },
  { name: 'node-sqlite3-wasm', esm: true, isAlone: true, isLocal: true },
]

const START = { postgresql: startPostgresql, mariadb: startMariadb, redis: startRedis, mongo: startMongo }
const servers = new Map()
const portOf = async (on) => {
  if (on === undefined) return 0
  if (!servers.has(on)) servers.set(on, await START[on]())
  return servers.get(on).port
}

const clear = {
  async postgresql(port) {
    const { Client } = require('pg')
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres' })
    await client.connect()
    await client.query('drop table if exists orders')
    await client.end()
  },
  async mariadb(port) {
    const { createConnection } = require('mysql2/promise')
    const connection = await createConnection({ host: '127.0.0.1', port, user: 'test', database: 'shop' })
    await connection.query('drop table if exists orders')
    await connection.end()
  },
  async mongo(port) {
    const { MongoClient } = require('mongodb')
    const client = new MongoClient(`mongodb://127.0.0.1:${port}`)
    await client.db('shop').dropCollection('orders')
    await client.close()
  },
}

/** The names of what each request did, if they all did the same and nothing ran elsewhere; undefined otherwise. */
function namesOf({ code, stdout, spans }) {
  const all = byRequest(spans).map((made) => made.map(({ name }) => name).join(', '))
  const isRight = code === 0 && /^(?:seen .*\n)?done\n$/.test(stdout)
  return isRight && all.length === REQUESTS && new Set(all).size === 1 && all[0] !== '' ? all[0] : undefined
}

async function row({ name, scenario = name, on, env = {}, esm = false, isAlone = false, isLocal = false }) {
  const port = await portOf(on)
  const run = async (more) => {
    await clear[on]?.(port)
    const outcome = await observeClient({ scenario, name, port, ...more, env: { TELL_SEEN: '1', ...env } })
    if (namesOf(outcome) === undefined)
      console.error(name, more, outcome.stdout.slice(0, 500), outcome.stderr)
    return outcome
  }
  const [first, wide, imported, worker, child] = [
    await run({ pool: 1 }),
    isAlone ? undefined : await run({ pool: 10 }),
    esm && !hasHooks ? undefined : await run({ form: 'import' }),
    await run({ where: 'worker' }),
    await run({ where: 'child' }),
  ]
  const expected = namesOf(first)
  const isAsFirst = (outcome) => outcome && expected !== undefined && namesOf(outcome) === expected
  const isOne = ({ spans }) => new Set(spans.map(({ traceId }) => traceId)).size === 1
  const [made = []] = byRequest(first.spans)
  const failed = made.filter(({ status }) => status.code === 2)
  const seen = new Set(/^seen (.*)$/m.exec(first.stdout)?.[1].split(' '))
  const all = [first, wide, imported, worker, child].filter(Boolean)
  const way = (words) => {
    if (!words.some((word) => seen.has(word))) return undefined
    return !all.some(({ stdout }) => words.some((word) => stdout.includes(`WRONG ${word}:`)))
  }
  return [
    expected !== undefined,
    made.every(({ attributes }) => attributes['db.operation.name'] !== undefined) &&
      made.some(({ attributes }) => typeof attributes['db.query.text'] === 'string'),
    isLocal ? undefined : made.every(({ attributes }) => attributes['server.port'] === port),
    failed.length > 0 && failed.every(({ attributes }) => attributes['error.type'] !== undefined),
    expected !== undefined,
    wide && Boolean(isAsFirst(wide)),
    ...Object.values(WAYS).map(way),
    expected !== undefined,
    esm && !hasHooks ? undefined : Boolean(isAsFirst(imported)),
    Boolean(isAsFirst(worker) && isOne(worker)),
    Boolean(isAsFirst(child) && isOne(child)),
    !all.some(({ isTold }) => isTold),
  ]
}

function versionOf(name) {
  if (name.startsWith('node:')) return process.version.slice(1)
  const [folder, sub] = name.split('/')
  const path = folder.startsWith('@') ? `${folder}/${sub}` : folder
  return JSON.parse(readFileSync(`node_modules/${path}/package.json`, 'utf8')).version
}

const mark = (value) => (value === undefined ? '' : value ? 'yes' : 'no')
const lines = [
  `| client | version | ${COLUMNS.join(' | ')} |`,
  `|---|---|${COLUMNS.map(() => '---|').join('')}`,
]
let wrong = 0
let cells = 0
try {
  for (const client of CLIENTS) {
    const { name, scenario = name, since = 20, lacks = [] } = client
    if (!name.includes(values.only) || major < since) continue
    const results = await row(client)
    const label = /-callback/.test(scenario) ? `${scenario.replace('-callback', '')}, callbacks` : scenario
    lines.push(
      `| ${label === 'sqlite' ? 'node:sqlite' : label} | ${versionOf(name)} | ${results.map(mark).join(' | ')} |`,
    )
    console.log(lines.at(-1))
    // What is known to be missing is a weakness that the docs name; one that is there after all has to leave them.
    const isWrong = (result, i) => result !== undefined && result === lacks.includes(COLUMNS[i])
    wrong += results.filter(isWrong).length
    cells += results.filter((result) => result !== undefined).length
  }
} finally {
  for (const server of servers.values()) await server.stop()
}
if (values.write) {
  const page = 'docs/instrumentations.md'
  const text = readFileSync(page, 'utf8')
  const [before, rest] = text.split(BEGIN)
  writeFileSync(page, `${before}${BEGIN}\n${lines.join('\n')}\n${END}${rest.split(END)[1]}`)
} else {
  console.log(lines.join('\n'))
}
console.log(`${cells - wrong} passed, ${wrong} failed`)
if (wrong > 0) process.exitCode = 1
