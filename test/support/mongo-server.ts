/**
 * Enough of a MongoDB server for its drivers, since there is none in Debian's packages or in npm's: what of its wire protocol drivers use (OP_MSG, and OP_QUERY
 * for the handshake, https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/), and its commands on documents that it keeps in memory.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { BSON } from 'mongodb'
import type { DatabaseServer } from './databases.js'

type Document = Record<string, unknown>

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const HEADER = 16

/** The documents by database and collection. */
type Collections = Map<string, Document[]>

interface Cursor {
  readonly namespace: string
  readonly rest: Document[]
}

class CommandError extends Error {
  constructor(
    readonly code: number,
    readonly codeName: string,
    message: string,
  ) {
    super(message)
  }
}

export async function startMongo(): Promise<DatabaseServer> {
  const collections: Collections = new Map()
  const cursors = new Map<bigint, Cursor>()
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket.setNoDelay())
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let waiting = Buffer.alloc(0)
    socket.on('data', (bytes) => {
      waiting = Buffer.concat([waiting, bytes])
      while (waiting.length >= HEADER && waiting.length >= waiting.readInt32LE(0)) {
        const message = waiting.subarray(0, waiting.readInt32LE(0))
        waiting = waiting.subarray(message.length)
        // A moment, as of a server elsewhere: what others ask meanwhile overlaps.
        setTimeout(() => socket.write(answer(message)), 2)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  function answer(message: Buffer): Buffer {
    const id = message.readInt32LE(4)
    if (message.readInt32LE(12) === OP_QUERY) {
      // The flags, `admin.$cmd` and its end, and two numbers.
      const at = message.indexOf(0, HEADER + 4) + 9
      return reply(id, OP_REPLY, [Buffer.alloc(16), int32(1)], run(BSON.deserialize(message.subarray(at))))
    }
    return reply(id, OP_MSG, [int32(0), Buffer.from([0])], run(commandOf(message)))
  }

  function run(command: Document): Document {
    try {
      return { ...execute(command), ok: 1 }
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      const { code, codeName, message } = error
      return { ok: 0, code, codeName, errmsg: message }
    }
  }

  function execute(command: Document): Document {
    const [name = ''] = Object.keys(command)
    const namespace = `${command['$db']}.${command[name]}`
    const documents = collections.get(namespace) ?? []
    switch (name) {
      case 'hello':
      case 'ismaster':
      case 'isMaster':
        return {
          helloOk: true,
          ismaster: true,
          isWritablePrimary: true,
          maxBsonObjectSize: 16_777_216,
          maxMessageSizeBytes: 48_000_000,
          maxWriteBatchSize: 100_000,
          minWireVersion: 0,
          maxWireVersion: 21,
          logicalSessionTimeoutMinutes: 30,
        }
      case 'ping':
      case 'endSessions':
      case 'killCursors':
        return {}
      case 'drop':
        collections.delete(namespace)
        return {}
      case 'insert': {
        const list = command['documents'] as Document[]
        collections.set(namespace, documents)
        return insert(documents, list, namespace, command['ordered'] !== false)
      }
      case 'find': {
        const found = documents.filter(matches(command['filter'] as Document))
        const limit = Number(command['limit'] ?? 0)
        return firstBatch(
          namespace,
          limit === 0 ? found : found.slice(0, limit),
          Number(command['batchSize'] ?? 101),
        )
      }
      case 'aggregate': {
        const [stage] = command['pipeline'] as Document[]
        if (!('$match' in (stage ?? {})))
          throw new CommandError(40324, 'Location40324', 'Unrecognized pipeline stage')
        return firstBatch(namespace, documents.filter(matches(stage!['$match'] as Document)), 101)
      }
      case 'getMore': {
        const cursor = cursors.get(BigInt(String(command['getMore'])))
        if (cursor === undefined) throw new CommandError(43, 'CursorNotFound', 'cursor id not found')
        const nextBatch = cursor.rest.splice(0, Number(command['batchSize'] ?? 101))
        const isOver = cursor.rest.length === 0
        const id = isOver ? 0n : BigInt(String(command['getMore']))
        return { cursor: { id: BSON.Long.fromBigInt(id), ns: cursor.namespace, nextBatch } }
      }
      case 'update': {
        const [{ q, u, multi } = {}] = command['updates'] as Document[]
        const found = documents.filter(matches(q as Document))
        const changed = multi === true ? found : found.slice(0, 1)
        for (const document of changed) Object.assign(document, (u as { $set?: Document }).$set)
        return { n: changed.length, nModified: changed.length }
      }
      case 'delete': {
        const [{ q } = {}] = command['deletes'] as Document[]
        const kept = documents.filter((document) => !matches(q as Document)(document))
        collections.set(namespace, kept)
        return { n: documents.length - kept.length }
      }
      case 'findAndModify': {
        const [found] = documents.filter(matches(command['query'] as Document))
        if (found !== undefined) Object.assign(found, (command['update'] as { $set?: Document }).$set)
        return { value: found ?? null }
      }
      default:
        throw new CommandError(59, 'CommandNotFound', `no such command: '${name}'`)
    }
  }

  function insert(documents: Document[], list: Document[], namespace: string, isOrdered: boolean): Document {
    const writeErrors: Document[] = []
    for (const [index, document] of list.entries()) {
      const id = JSON.stringify(document['_id'])
      if (documents.some((each) => JSON.stringify(each['_id']) === id)) {
        const errmsg = `E11000 duplicate key error collection: ${namespace} index: _id_ dup key: { _id: ${id} }`
        writeErrors.push({ index, code: 11000, errmsg, keyValue: { _id: document['_id'] } })
        if (isOrdered) break
      } else {
        documents.push(document)
      }
    }
    return { n: list.length - writeErrors.length, ...(writeErrors.length > 0 && { writeErrors }) }
  }

  function firstBatch(ns: string, found: Document[], size: number): Document {
    const rest = [...found]
    const batch = rest.splice(0, size)
    let id = 0n
    if (rest.length > 0) {
      id = BigInt(cursors.size + 1)
      cursors.set(id, { namespace: ns, rest })
    }
    return { cursor: { id: BSON.Long.fromBigInt(id), ns, firstBatch: batch } }
  }

  return {
    port: (server.address() as { port: number }).port,
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The body of an OP_MSG, with what it has in sequences. */
function commandOf(message: Buffer): Document {
  const command: Document = {}
  for (let at = HEADER + 4; at < message.length; ) {
    const kind = message[at++]
    const end = at + message.readInt32LE(at)
    if (kind === 0) {
      Object.assign(command, BSON.deserialize(message.subarray(at, end)))
    } else {
      const nameEnd = message.indexOf(0, at + 4)
      const list: Document[] = []
      for (let from = nameEnd + 1; from < end; from += message.readInt32LE(from))
        list.push(BSON.deserialize(message.subarray(from, from + message.readInt32LE(from))))
      command[message.toString('utf8', at + 4, nameEnd)] = list
    }
    at = end
  }
  return command
}

function reply(to: number, opcode: number, before: Buffer[], document: Document): Buffer {
  const body = Buffer.concat([...before, BSON.serialize(document)])
  return Buffer.concat([int32(HEADER + body.length), int32(0), int32(to), int32(opcode), body])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

/** By equality. */
function matches(filter: Document = {}): (document: Document) => boolean {
  return (document) =>
    Object.entries(filter).every(
      ([name, wanted]) => JSON.stringify(document[name]) === JSON.stringify(wanted),
    )
}
