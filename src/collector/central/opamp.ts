/** Settings by OpAMP over plain HTTP (OpAMP specification, "Plain HTTP Transport"): one message each way at each look. */
import type { CentralConfig } from '../../config/central.js'
import { monotonicNow } from '../../core/clock.js'
import { reason } from '../../export/notices.js'
import { delayOf } from '../../export/retry.js'
import { printable } from '../../trace/text.js'
import {
  type AgentToServer,
  APPLIED,
  BAD_REQUEST,
  decodeServerToAgent,
  encodeAgentToServer,
  FAILED,
  type RemoteConfigStatus,
  type ServerToAgent,
} from './opamp-messages.js'
import { Requester } from './request.js'
import type { Look, Outcome, Source } from './source.js'

const TYPE = 'application/x-protobuf'
/** Under which Elastic's servers offer settings; a server with one file alone may leave the name empty. */
const FILES = ['elastic', '']
/** Milliseconds that a server may have us wait at most. */
const LONGEST = 86_400_000
/** Milliseconds that taking leave may take. */
const LEAVE = 300

export class OpampSource implements Source {
  interval: number
  private pace: number
  private readonly url: URL
  private readonly requester: Requester
  private uid = newUid()
  private sequence = 0
  private status: RemoteConfigStatus | undefined
  private effective: string | undefined
  private hash: Uint8Array = new Uint8Array(0)
  private name = FILES[0]!
  /** What the server does not know yet. */
  private untold = new Set<'all' | 'status' | 'effective'>(['all'])
  private isKnown = false

  constructor(
    private readonly config: CentralConfig,
    /** What identifies this process: attributes of its Resource. */
    private readonly description: Readonly<Record<string, string>>,
  ) {
    this.url = new URL(config.url)
    this.pace = config.interval
    this.interval = this.pace
    this.requester = new Requester(config)
  }

  async look(): Promise<Look> {
    const told = this.untold
    this.untold = new Set()
    try {
      const look = await this.exchange(this.message(told))
      if (look.kind === 'failed') this.retell(told)
      else this.isKnown = true
      return look
    } catch (error) {
      this.retell(told)
      return { kind: 'failed', why: reason(error as Error) }
    }
  }

  private retell(told: ReadonlySet<'all' | 'status' | 'effective'>): void {
    for (const one of told) this.untold.add(one)
  }

  private message(told: ReadonlySet<'all' | 'status' | 'effective'>): AgentToServer {
    const isAll = told.has('all')
    const { uid, effective, name } = this
    return {
      uid,
      sequence: ++this.sequence,
      description: isAll ? this.description : undefined,
      status: isAll || told.has('status') ? (this.status ?? UNSET) : undefined,
      effective:
        effective !== undefined && (isAll || told.has('effective')) ? { name, json: effective } : undefined,
    }
  }

  private async exchange(message: AgentToServer): Promise<Look> {
    this.interval = this.pace
    const { status, headers, body } = await this.post(message)
    if (status !== 200) {
      const wait = delayOf(headers['retry-after'], Date.now())
      if (wait !== undefined) this.interval = Math.min(LONGEST, Math.max(this.interval, wait))
      return { kind: 'failed', why: `it answers with status ${status}` }
    }
    if (headers['content-type']?.split(';')[0]?.trim() !== TYPE)
      return { kind: 'failed', why: 'its answer is no OpAMP message' }
    let answer: ServerToAgent
    try {
      answer = decodeServerToAgent(body)
    } catch {
      return { kind: 'failed', why: 'its answer is no OpAMP message' }
    }
    return this.take(answer)
  }

  private post(message: AgentToServer) {
    const headers = { 'content-type': TYPE }
    return this.requester.ask({ url: this.url, method: 'POST', headers, body: encodeAgentToServer(message) })
  }

  private take({ uid, error, remote, wantsAll, newUid: given }: ServerToAgent): Look {
    if (error !== undefined) {
      if (error.retryAfter > 0) this.interval = Math.min(LONGEST, Math.max(this.interval, error.retryAfter))
      const kind = error.type === BAD_REQUEST ? 'finds the request wrong' : 'cannot answer'
      return { kind: 'failed', why: `it ${kind}: ${printable(error.message.slice(0, 200))}` }
    }
    if (uid.length > 0 && Buffer.compare(uid, this.uid) !== 0) return { kind: 'same' }
    if (given?.length === 16) this.uid = given
    if (wantsAll) this.untold.add('all')
    if (remote === undefined || (this.status !== undefined && Buffer.compare(remote.hash, this.hash) === 0))
      return { kind: 'same' }
    this.hash = remote.hash
    const name = FILES.find((one) => remote.files.has(one))
    const file = name === undefined ? undefined : remote.files.get(name)
    if (name !== undefined) this.name = name
    if (file === undefined) return { kind: 'other', text: undefined }
    // What is of another kind is JSON to nobody.
    const isJson = ['', 'application/json', 'text/json'].includes(file.contentType)
    return { kind: 'other', text: isJson ? file.body : `(${file.contentType})` }
  }

  tell({ problem, effective }: Outcome): void {
    this.pace = effective.opamp_polling_interval ?? this.config.interval
    this.interval = this.pace
    this.status = {
      hash: this.hash,
      status: problem === undefined ? APPLIED : FAILED,
      message: problem ?? '',
    }
    this.effective = JSON.stringify(effective)
    this.untold.add('status').add('effective')
  }

  get isDue(): boolean {
    return this.untold.size > 0
  }

  async close(deadline: number): Promise<void> {
    const left = Math.min(LEAVE, deadline - monotonicNow())
    if (this.isKnown && left > 0) {
      const leave = this.post({ ...this.message(this.untold), isLeaving: true }).catch(() => {})
      await Promise.race([leave, new Promise((over) => setTimeout(over, left).unref())])
    }
    this.requester.close()
  }
}

const UNSET = { hash: new Uint8Array(0), status: 0 as typeof APPLIED, message: '' }

/** A UUID of version 7 (RFC 9562), as the specification asks for. */
function newUid(): Uint8Array {
  const uid = process.getBuiltinModule('node:crypto').randomBytes(16)
  uid.writeUIntBE(Date.now(), 0, 6)
  uid[6] = (uid[6]! & 0x0f) | 0x70
  uid[8] = (uid[8]! & 0x3f) | 0x80
  return uid
}
