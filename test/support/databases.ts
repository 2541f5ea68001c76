/** Real servers for tests, from Debian's packages: each in a folder of its own, on a free port of loopback, for the time of a test file. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

export interface DatabaseServer {
  readonly port: number
  stop(): Promise<void>
}

const POSTGRESQL = '/usr/lib/postgresql'
/** Debian's `rabbitmq-server` of the PATH runs it by way of `su`. */
const RABBITMQ = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** The program's path; servers lie where not every user's PATH leads. */
function commandOf(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** Why there is no such server, or false. In continuous integration a missing one is no excuse: there the tests run, and fail. */
function missing(isThere: boolean, name: string): string | false {
  return isThere || process.env['CI'] ? false : `There is no ${name}: apt-get install ${name}`
}

export const noPostgresql = missing(existsSync(POSTGRESQL), 'postgresql')
export const noRedis = missing(commandOf('redis-server') !== undefined, 'redis-server')
export const noPrometheus = missing(commandOf('prometheus') !== undefined, 'prometheus')
export const noRabbitmq = missing(existsSync(RABBITMQ), 'rabbitmq-server')
export const noMariadb = missing(commandOf('mariadbd') !== undefined, 'mariadb-server')

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function listening(port: number, server: ChildProcess, said: () => string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (server.exitCode !== null) break
    const socket = connect(port, '127.0.0.1')
    const isUp = await new Promise<boolean>((done) => {
      socket.on('connect', () => done(true)).on('error', () => done(false))
    })
    socket.destroy()
    if (isUp) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`The server on port ${port} did not come up: ${said()}`)
}

/** Servers of databases refuse to be run by root. */
function asOther(user: string, command: string, args: readonly string[]): [string, string[]] {
  if (userInfo().uid !== 0) return [command, [...args]]
  return ['setpriv', ['--reuid', user, '--regid', user, '--clear-groups', command, ...args]]
}

function ownFolder(name: string, user: string): string {
  const folder = mkdtempSync(join(tmpdir(), `threadspan-${name}-`))
  if (userInfo().uid === 0) {
    const id = (which: string) => Number(spawnSync('id', [which, user], { encoding: 'utf8' }).stdout)
    chownSync(folder, id('-u'), id('-g'))
  }
  return folder
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

async function serve(
  command: string,
  args: readonly string[],
  port: number,
  folder: string,
  env?: Record<string, string>,
) {
  const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let said = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => (said += text))
  await listening(port, server, () => said)
  return {
    port,
    async stop() {
      server.kill('SIGKILL')
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL, with a superuser `postgres` who needs no password. */
export async function startPostgresql(): Promise<DatabaseServer> {
  const bin = join(POSTGRESQL, readdirSync(POSTGRESQL).sort().at(-1)!, 'bin')
  const folder = ownFolder('postgresql', 'postgres')
  const data = join(folder, 'data')
  run(...asOther('postgres', join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync']))
  const port = await freePort()
  const options = ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1']
  const server = await serve(
    ...asOther('postgres', join(bin, 'postgres'), [...options, '-c', 'fsync=off']),
    port,
    folder,
  )
  // It listens before it answers.
  const isReady = () =>
    spawnSync(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).status === 0
  for (let i = 0; i < 100 && !isReady(); i++) await new Promise((done) => setTimeout(done, 100))
  return server
}

/** Redis, without persistence, with a user `SECRETIVE` whose password is `SECRET` beside the one that needs none. */
export async function startRedis(): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'threadspan-redis-'))
  const port = await freePort()
  const user = ['--user', 'SECRETIVE', 'on', '>SECRET', '~*', '&*', '+@all']
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...user]
  return serve('redis-server', options, port, folder)
}

/** MariaDB, with a user `test` who needs no password, one `SECRETIVE` whose is `SECRET`, and a database `shop`. */
export async function startMariadb(): Promise<DatabaseServer> {
  const folder = ownFolder('mariadb', 'mysql')
  const data = join(folder, 'data')
  run(
    ...asOther('mysql', 'mariadb-install-db', [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ]),
  )
  const port = await freePort()
  const socket = join(folder, 'socket')
  const options = [
    '--no-defaults',
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${socket}`,
    `--pid-file=${join(folder, 'pid')}`,
  ]
  const server = await serve(...asOther('mysql', commandOf('mariadbd') ?? 'mariadbd', options), port, folder)
  const sql = [
    "create database shop; create user test@'127.0.0.1'; grant all on *.* to test@'127.0.0.1'",
    "create user SECRETIVE@'127.0.0.1' identified by 'SECRET'; grant all on *.* to SECRETIVE@'127.0.0.1'",
  ].join(';')
  run('mariadb', ['--no-defaults', '-u', 'root', `--socket=${socket}`, '-e', sql])
  return server
}

/** RabbitMQ, with the user `guest`, and a port mapper of Erlang's of its own. */
export async function startRabbitmq(): Promise<DatabaseServer> {
  const folder = ownFolder('rabbitmq', 'rabbitmq')
  const [port, mapper, nodes] = await Promise.all([freePort(), freePort(), freePort()])
  const env = {
    HOME: folder,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(mapper),
    RABBITMQ_NODENAME: `test-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(nodes),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: join(folder, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    // One process, which is the one that is started here.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_START_ARGS: '-noinput',
  }
  const epmd = await serve(...asOther('rabbitmq', commandOf('epmd')!, []), mapper, join(folder, 'none'), env)
  try {
    const server = await serve(...asOther('rabbitmq', RABBITMQ, []), port, folder, env)
    return {
      port,
      async stop() {
        await server.stop()
        await epmd.stop()
      },
    }
  } catch (error) {
    await epmd.stop()
    throw error
  }
}
