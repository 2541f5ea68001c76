/**
 * Delivery without a telemetry thread: by the main thread itself, at the end of a process whose thread has not begun its work yet, or has
 * been given up. So a program that ends at once, or gets little of the processor, need not wait for a thread.
 */
import { type Config, readConfig } from '../config/config.js'
import { live } from '../config/live.js'
import { shownEndpoint } from '../config/otlp.js'
import { resourceAttributes } from '../config/resource.js'
import { unknownVariables } from '../config/unknown.js'
import { now, startClock, unixNano } from '../core/clock.js'
import { appendNow } from '../export/blocking-file.js'
import { addressesOf, blockingPost } from '../export/blocking-post.js'
import { type Batch, countOf, type ExportLog } from '../export/exporter.js'
import { bodyHeaders, plainBody } from '../export/http-body.js'
import { ACCEPTED, judge, REJECTED } from '../export/judge.js'
import { Notices } from '../export/notices.js'
import { answerOf } from '../export/otlp-answer.js'
import { encodeRequest } from '../export/request.js'
import { LINE_BYTES } from '../export/request-json.js'
import { split } from '../export/split.js'
import { encodeResource } from '../otlp/encode.js'
import { Accounts, readAccounts } from '../ring/accounts.js'
import { HANDOVER, READ_SCOPE, SURFACES, TAIL, type ThreadMemory } from '../ring/layout.js'
import { type RecordTarget, RingReader, type Signal } from '../ring/reader.js'
import { claimReport, reportAccounts } from './accounts-report.js'
import { concludeThread } from './conclude.js'
import { Links } from './links.js'
import { Outbox, type OutboxScope, type ProcessQueue } from './outbox.js'
import { stderrLog } from './stderr-log.js'

/** Bytes of spans in one request. */
const REQUEST_BYTES = 4 << 20
/** Milliseconds behind the deadline until which an answer is waited for: less than a telemetry thread would get. */
const LAST = 50

export interface DirectDelivery {
  readonly control: SharedArrayBuffer
  /** Of the threads whose rings nobody else reads. */
  readonly memories: readonly ThreadMemory[]
  /** Folders of descendants' files. */
  readonly folders: readonly string[]
  /** Whether there is a telemetry thread that can do it if this does not. */
  readonly hasThread: boolean
  readonly env: NodeJS.ProcessEnv
  /** The program's file. */
  readonly main: string | undefined
  /** One line: how the process ends. */
  readonly reason: string
  /** The process's clock anchor, in nanoseconds: this is loaded apart, and has a clock of its own. */
  readonly anchor: bigint
  /** Milliseconds that are left. */
  readonly left: number
}

type Outcome = { readonly cause: string; readonly count: number }

/** @returns Whether it is done, and what did not arrive was told; else nothing was done that the telemetry thread would not do anew. */
export function deliverDirectly(delivery: DirectDelivery): boolean {
  const { control, env, main, hasThread, anchor } = delivery
  startClock(anchor)
  const { config, warnings } = readConfig(env)
  const words = new Int32Array(control)
  const isPlain =
    Atomics.load(words, HANDOVER) === 0 &&
    config.spool === undefined &&
    config.metrics === undefined &&
    Atomics.load(words, SURFACES) === 0 &&
    warnings.length === 0 &&
    [...unknownVariables(env)].length === 0
  const isOff = live.now?.().values.send_traces === false
  const send = isOff ? switchedOff : senderOf(config, stderrLog(config.logLevel), delivery.left + LAST)
  if (send === undefined || (hasThread && !isPlain)) return false

  const gathered = gather(delivery, encodeResource(resourceAttributes(config, main)))
  const bytes = config.exporters[0] === 'file' ? LINE_BYTES : REQUEST_BYTES
  const pieces = [...split(gathered.batches, bytes)].map(({ batches }) => batches)
  // What the thread could not be handed back any more in one piece is its own from the beginning.
  const isMuch = pieces.length > 1 || gathered.count > (config.batch.maxExportBatchSize ?? gathered.count)
  // Log records go to an address of their own, and are left to the thread.
  if (hasThread && (isMuch || gathered.logs > 0)) return gathered.giveBack()
  const lost: Outcome[] = []
  for (const batches of pieces) {
    const outcomes = send(batches)
    if (outcomes === undefined && hasThread) return gathered.giveBack()
    lost.push(...(outcomes ?? [{ cause: 'endpoint', count: countOf(batches) }]))
  }
  gathered.leave()
  const accounts = new Accounts(control).open()
  accounts.make(gathered.count)
  accounts.submit(gathered.count)
  for (const { cause, count } of lost) accounts.drop('exporter', cause, count)
  accounts.deliver(gathered.count - lost.reduce((sum, { count }) => sum + count, 0))
  const logAccounts = new Accounts(control, 'logs').open()
  for (const { signal, cause, count } of gathered.losses) {
    const of = signal === 'spans' ? accounts : logAccounts
    of.make(count)
    of.drop('queue', cause, count)
  }
  if (claimReport(words)) reportAccounts(words, readAccounts(control), stderrLog(config.logLevel), env)
  return true
}

/** @returns What did not arrive; undefined where nothing was sent, and another way may be tried. */
type Send = (batches: readonly Batch[]) => Outcome[] | undefined

/** As central configuration has it. */
const switchedOff: Send = (batches) => [{ cause: 'switched-off', count: countOf(batches) }]

/** Undefined where only a telemetry thread can send: TLS, gRPC, Unix sockets, names to be resolved, several exporters, other ones. */
function senderOf({ exporters, otlp, file }: Config, log: ExportLog, time: number): Send | undefined {
  if (exporters.length !== 1) return undefined
  if (exporters[0] === 'file') return (batches) => (appendNow(file, batches) ? [] : undefined)
  if (exporters[0] !== 'otlp' || otlp.protocol === 'grpc' || otlp.socketPath !== undefined) return undefined
  const url = new URL(otlp.url)
  if (addressesOf(url).length === 0) return undefined
  const notices = new Notices(log, shownEndpoint(otlp))
  return (batches) => {
    const count = countOf(batches)
    let plain: Uint8Array
    try {
      plain = plainBody(otlp, encodeRequest(batches))
    } catch {
      // What a descendant wrote need not be OTLP, and is no JSON then. A telemetry thread could do no more with it.
      return [{ cause: 'failed', count }]
    }
    const body = otlp.compression === 'gzip' ? process.getBuiltinModule('node:zlib').gzipSync(plain) : plain
    const result = blockingPost(url, bodyHeaders(otlp), body, Math.min(time, otlp.timeout))
    if (result === 'failed') return undefined
    if (result === 'unanswered') return [{ cause: 'timeout', count }]
    const answer = answerOf(result)
    if (answer.verdict === 'again' || answer.verdict === 'too-large') return undefined
    const { outcome, delivered } = judge(answer, count, notices)
    return outcome === ACCEPTED && delivered === count ? [] : [{ cause: REJECTED, count: count - delivered }]
  }
}

interface Loss {
  readonly signal: Signal
  readonly cause: string
  readonly count: number
}

interface Gathered {
  readonly batches: readonly Batch[]
  readonly count: number
  /** Log records, which are not sent from here. */
  readonly logs: number
  /** What was lost before, or cannot be sent from here. */
  readonly losses: readonly Loss[]
  /** Where a thread is to do it: as if nobody had looked. @returns false */
  giveBack(): false
  /** All has been delivered. */
  leave(): void
}

/** Takes everything out of the rings and the descendants' files. */
function gather({ memories, folders, reason }: DirectDelivery, resource: Uint8Array): Gathered {
  const outbox = new Outbox({ bytes: Number.POSITIVE_INFINITY, count: Number.POSITIVE_INFINITY })
  const losses: Loss[] = []
  let logs = 0
  const lose = (cause: string, count: number, signal: Signal): void => {
    if (count > 0) losses.push({ signal, cause, count })
  }
  const logged = (): void => {
    logs++
  }
  const own = outbox.process(resource)
  const time = unixNano(now())
  const marks = memories.map((memory) => {
    const words = new Int32Array(memory.buffer, 0, READ_SCOPE + 1)
    const mark = [words[TAIL]!, words[READ_SCOPE]!] as const
    const reader = new RingReader(memory)
    reader.tellScopes(targetOf(own, lose, logged))
    concludeThread(new RingReader(memory), targetOf(own, lose, logged), reason, time)
    return { words, mark, reader }
  })
  const links = folders.map(
    (folder) =>
      new Links(folder, {
        process: (queued) => ({ ...targetOf(outbox.process(queued), lose, logged), end() {} }),
        lost: lose,
      }),
  )
  for (const link of links) link.read(true)
  const { batches, receipts } = outbox.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  return {
    batches,
    count: countOf(batches),
    logs,
    losses,
    giveBack() {
      for (const { words, mark } of marks) {
        words[READ_SCOPE] = mark[1]
        Atomics.store(words, TAIL, mark[0])
      }
      return false
    },
    leave() {
      for (const { reader } of marks) {
        for (const { signal, cause, count } of reader.takeLosses()) lose(cause, count, signal)
      }
      for (const settled of receipts) settled()
      for (const link of links) link.leave()
      lose('collector', logs, 'logs')
    },
  }
}

function targetOf(
  queue: ProcessQueue,
  lose: (cause: string, count: number, signal: Signal) => void,
  logged: () => void,
): RecordTarget {
  const scopes = new Map<number, OutboxScope>()
  return {
    scope: (id, encoded, schemaUrl) => scopes.set(id, { encoded, schemaUrl }),
    spans(id, bytes, count, settled) {
      const scope = scopes.get(id)
      if (scope !== undefined) {
        queue.add(scope, Uint8Array.from(bytes), count, settled)
        return
      }
      lose('no-scope', count, 'spans')
      settled?.()
    },
    logged(_body, settled) {
      logged()
      settled?.()
    },
  }
}
