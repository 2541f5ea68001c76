/**
 * Who is at a file of a spool. A process that uses one listens at a socket in the folder: the system closes it when the process is gone,
 * however that comes, and the socket tells so to processes of other containers as well, where a process's number says nothing.
 */
import { closeSync, constants, openSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { identityOf, isAlive } from '../link/liveness.js'

/** Behind the name of a file; while a process has it, followed by that process's id. */
export const SPOOL_SUFFIX = '.spool'
export const TAKEN = '.taken-'
/** In the name of a file, before the number of its spans or log records: so what is missing can be told, whatever has become of the file. */
export const COUNT = '-of-'
/** Before that, where the file has log records. */
export const LOGS = '-logs'
/** Behind the id of a process. */
export const SOCKET_SUFFIX = '.alive'
/** Before an identity that stands for a process's number, where the folder takes no sockets. */
const BY_NUMBER = 'pid-'
/** Milliseconds for an answer: a process that is stopped for longer is there all the same. */
const ANSWER = 1000

/** This process, for the files that it has taken or writes. */
export class SpoolOwner {
  private constructor(
    readonly id: string,
    private readonly folder: string,
    private readonly descriptor: number | undefined,
    private readonly server: Server | undefined,
  ) {}

  /** @param folder Exists. */
  static async open(folder: string): Promise<SpoolOwner> {
    const id = `${process.pid}-${process.hrtime.bigint().toString(36)}`
    let descriptor: number | undefined
    try {
      descriptor = process.platform === 'linux' ? openSync(folder, constants.O_RDONLY) : undefined
      const server = await listen(socketPath(folder, descriptor, id))
      return new SpoolOwner(id, folder, descriptor, server)
    } catch {
      const number = `${BY_NUMBER}${identityOf(process.pid).replaceAll(' ', '_')}`
      return new SpoolOwner(number, folder, descriptor, undefined)
    }
  }

  /** Whether the process of that id runs. */
  async isAlive(id: string): Promise<boolean> {
    if (id === this.id) return true
    if (id.startsWith(BY_NUMBER)) return isAlive(id.slice(BY_NUMBER.length).replaceAll('_', ' '))
    // As earlier versions named them.
    if (/^\d+$/.test(id)) return id !== '1' && id !== String(process.pid) && isAlive(id)
    const path = socketPath(this.folder, this.descriptor, id)
    const answers = await isListening(path)
    if (!answers) remove(join(this.folder, id + SOCKET_SUFFIX))
    return answers
  }

  close(): void {
    this.server?.close()
    if (this.server !== undefined) remove(join(this.folder, this.id + SOCKET_SUFFIX))
    if (this.descriptor !== undefined) closeSync(this.descriptor)
  }
}

/** A short one: the names of sockets have at most about a hundred bytes. */
function socketPath(folder: string, descriptor: number | undefined, id: string): string {
  return join(descriptor === undefined ? folder : `/proc/self/fd/${descriptor}`, id + SOCKET_SUFFIX)
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(path, () => resolve(server))
    server.unref()
  })
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const settle = (answer: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => settle(true), ANSWER)
    socket.once('connect', () => settle(true))
    // A queue that is full is a process that is there.
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'EAGAIN'))
  })
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already.
  }
}
