/**
 * The messages of OpAMP 0.14 (`opamp.proto`) that carry settings, and of each the fields that count here. Elastic's `@elastic/opamp-client-node`
 * was judged for this and left out: it brings two packages of protobuf and an HTTP client into every installation, and cannot tell of the
 * settings that hold.
 */
import { concat, count, encodeKeyValues, lengthDelimited, text } from '../../otlp/encode.js'
import { fields, ProtobufReader } from '../../otlp/protobuf.js'

/** `AgentCapabilities`: ReportsStatus, AcceptsRemoteConfig, ReportsEffectiveConfig, ReportsRemoteConfig, ReportsHeartbeat. */
const CAPABILITIES = 0x1 | 0x2 | 0x4 | 0x1000 | 0x2000
/** `ServerToAgentFlags`. */
const REPORT_FULL_STATE = 1

/** `RemoteConfigStatuses`. */
export const APPLIED = 1
export const FAILED = 3

/** `ServerErrorResponseType`. */
export const BAD_REQUEST = 1

/** What became of the settings that came last. */
export interface RemoteConfigStatus {
  readonly hash: Uint8Array
  readonly status: typeof APPLIED | typeof FAILED
  /** Empty where there is none. */
  readonly message: string
}

export interface AgentToServer {
  /** 16 bytes. */
  readonly uid: Uint8Array
  readonly sequence: number
  /** What is left out has not changed since it was sent last. */
  readonly description?: Readonly<Record<string, string>> | undefined
  readonly effective?: { readonly name: string; readonly json: string } | undefined
  readonly status?: RemoteConfigStatus | undefined
  /** It is the last one. */
  readonly isLeaving?: boolean
}

export function encodeAgentToServer(message: AgentToServer): Uint8Array {
  const { uid, sequence, description, effective, status, isLeaving = false } = message
  const parts = [lengthDelimited(0x0a, uid), count(0x10, sequence)]
  if (description !== undefined) parts.push(lengthDelimited(0x1a, encodeKeyValues(0x0a, description, 0)))
  parts.push(count(0x20, CAPABILITIES))
  if (effective !== undefined) {
    const file = concat([text(0x0a, effective.json), text(0x12, 'application/json')])
    const entry = lengthDelimited(0x0a, concat([text(0x0a, effective.name), lengthDelimited(0x12, file)]))
    parts.push(lengthDelimited(0x32, lengthDelimited(0x0a, entry)))
  }
  if (status !== undefined) {
    const told = [lengthDelimited(0x0a, status.hash), count(0x10, status.status)]
    if (status.message !== '') told.push(text(0x1a, status.message))
    parts.push(lengthDelimited(0x3a, concat(told)))
  }
  if (isLeaving) parts.push(lengthDelimited(0x4a, new Uint8Array(0)))
  return concat(parts)
}

/** A file of settings. */
export interface ConfigFile {
  readonly body: string
  readonly contentType: string
}

export interface ServerToAgent {
  uid: Uint8Array
  error: { type: number; message: string; retryAfter: number } | undefined
  remote: { files: ReadonlyMap<string, ConfigFile>; hash: Uint8Array } | undefined
  /** Whether all is to be told anew. */
  wantsAll: boolean
  /** Undefined where it stays. */
  newUid: Uint8Array | undefined
}

const KNOWN = fields(1, 2, 3, 6, 8)
/** Files in one offer that are looked at. */
const MOST_FILES = 16

/** What a server offers beyond settings (packages, connections, commands) is passed over. @throws OtlpError where the bytes are none. */
export function decodeServerToAgent(bytes: Uint8Array): ServerToAgent {
  const reader = new ProtobufReader(bytes)
  reader.maxMessages = 1000
  const message: ServerToAgent = {
    uid: new Uint8Array(0),
    error: undefined,
    remote: undefined,
    wantsAll: false,
    newUid: undefined,
  }
  each(
    reader,
    (tag) => {
      switch (tag) {
        case 0x0a:
          message.uid = reader.copy()
          return true
        case 0x12:
          message.error = readError(reader)
          return true
        case 0x1a:
          message.remote = readRemote(reader)
          return true
        case 0x30:
          message.wantsAll = (reader.uint32() & REPORT_FULL_STATE) !== 0
          return true
        case 0x42:
          within(reader, (inner) => {
            if (inner !== 0x0a) return false
            message.newUid = reader.copy()
            return true
          })
          return true
        default:
          return false
      }
    },
    KNOWN,
  )
  return message
}

/** @param read Reads a field, or says that it does not want it. */
function each(reader: ProtobufReader, read: (tag: number) => boolean, known = 0): void {
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (!read(tag)) reader.skip(tag, known)
  }
}

function within(reader: ProtobufReader, read: (tag: number) => boolean): void {
  const outer = reader.enter()
  each(reader, read)
  reader.leave(outer)
}

function readError(reader: ProtobufReader): NonNullable<ServerToAgent['error']> {
  const error = { type: 0, message: '', retryAfter: 0 }
  within(reader, (tag) => {
    if (tag === 0x08) error.type = reader.uint32()
    else if (tag === 0x12) error.message = reader.string()
    else if (tag === 0x1a) {
      within(reader, (inner) => {
        if (inner !== 0x08) return false
        // Nanoseconds.
        error.retryAfter = reader.uint64() / 1e6
        return true
      })
    } else return false
    return true
  })
  return error
}

function readRemote(reader: ProtobufReader): NonNullable<ServerToAgent['remote']> {
  const files = new Map<string, ConfigFile>()
  let hash: Uint8Array = new Uint8Array(0)
  within(reader, (tag) => {
    if (tag === 0x12) {
      hash = reader.copy()
      return true
    }
    if (tag !== 0x0a) return false
    within(reader, (entry) => {
      if (entry !== 0x0a || files.size === MOST_FILES) return false
      const { name, file } = readEntry(reader)
      files.set(name, file)
      return true
    })
    return true
  })
  return { files, hash }
}

function readEntry(reader: ProtobufReader): { name: string; file: ConfigFile } {
  let name = ''
  const file = { body: '', contentType: '' }
  within(reader, (tag) => {
    if (tag === 0x0a) name = reader.string()
    else if (tag === 0x12) {
      within(reader, (inner) => {
        if (inner === 0x0a) file.body = reader.string()
        else if (inner === 0x12) file.contentType = reader.string()
        else return false
        return true
      })
    } else return false
    return true
  })
  return { name, file }
}
