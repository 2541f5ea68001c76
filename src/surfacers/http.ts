import type { Agent, RequestOptions } from 'node:http'
import type { Measurement, TransactionScope } from '../metrics/measurement.js'
import type { Surfacer } from '../metrics/surfacer.js'

export interface HttpSurfacerOptions {
  /** Where to, `http:` or `https:`. */
  readonly url: string | URL
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds for one request; 10,000 where it is left out. */
  readonly timeout?: number
  /** Requests that wait for a server that is down; 1,000 where it is left out. What comes on top is dropped, and counted. */
  readonly maxQueue?: number
  /** Takes what there is to tell: that the server cannot be reached, and that it is back. `console.error` where it is left out. */
  readonly log?: (message: string) => void
}

/** Milliseconds between two attempts to reach a server that is down. */
const PAUSE = 1000
/** Milliseconds in which what belongs to no transaction is gathered. */
const GATHER = 1000
/** Values of one request, transactions that are gathered, and bytes of an answer that are read. */
const MOST_VALUES = 10_000
const MOST_OPEN = 10_000
const MOST_ANSWER = 64 * 1024

/** A value as it is sent. */
interface Sent {
  readonly kind: string
  value: number
  readonly unit: string
  readonly attributes: Measurement['attributes']
  /** Milliseconds since the epoch. */
  time: number
  readonly late?: true
}

/** What was measured for one transaction, by the metric's name. */
class Gathered {
  readonly metrics: Record<string, Sent[]> = Object.create(null)
  private readonly counters = new Map<string, Sent>()
  /** Values that were too many. */
  leftOut = 0
  private count = 0

  add({ name, kind, value, unit, attributes, time, isLate }: Measurement): void {
    const isCounter = kind === 'counter' || kind === 'updowncounter'
    const key = isCounter ? JSON.stringify([name, unit, attributes], plain) : ''
    const known = this.counters.get(key)
    if (isCounter && known !== undefined) {
      known.value += value
      known.time = time
      return
    }
    if (this.count++ >= MOST_VALUES) {
      this.leftOut++
      return
    }
    const sent: Sent = { kind, value, unit, attributes, time, ...(isLate ? { late: true } : {}) }
    if (isCounter) this.counters.set(key, sent)
    this.metrics[name] ??= []
    this.metrics[name].push(sent)
  }
}

/**
 * One POST of JSON for each transaction, when it has ended: `{"transaction": {...}, "metrics": {"name": [...]}}`, of counters the total of
 * each set of attributes, of gauges and histograms all values in order. What was measured outside of transactions is gathered for a second.
 */
export class HttpSurfacer implements Surfacer {
  /** Requests that were dropped: the queue was full, or the process ended. */
  dropped = 0
  readonly #options: HttpSurfacerOptions
  readonly #url: URL
  readonly #open = new Map<string, Gathered>()
  readonly #queue: string[] = []
  #outside: Gathered | undefined
  #sending: Promise<void> | undefined
  #isDown = false
  #deadline = Number.POSITIVE_INFINITY
  #agent: Agent | undefined

  /** @throws TypeError where the URL is none of HTTP. */
  constructor(options: HttpSurfacerOptions | string | URL) {
    this.#options = typeof options === 'string' || options instanceof URL ? { url: options } : options
    this.#url = new URL(this.#options.url)
    if (!/^https?:$/.test(this.#url.protocol)) throw new TypeError(`no URL of HTTP: ${this.#url.protocol}`)
  }

  record(measurement: Measurement): void {
    if (measurement.transaction !== undefined) {
      this.#open.get(measurement.transaction.id)?.add(measurement)
      return
    }
    if (this.#outside === undefined) {
      this.#outside = new Gathered()
      setTimeout(() => this.#sendOutside(), GATHER).unref()
    }
    this.#outside.add(measurement)
  }

  clear({ id }: TransactionScope): void {
    if (this.#open.size >= MOST_OPEN) {
      // One whose end was never told: it would keep others out.
      this.#open.delete(this.#open.keys().next().value!)
      this.#drop(1)
    }
    this.#open.set(id, new Gathered())
  }

  flush(transaction: TransactionScope): void {
    const gathered = this.#open.get(transaction.id)
    this.#open.delete(transaction.id)
    if (gathered !== undefined) this.#enqueue(transaction, gathered)
  }

  /** Sends what is left; what has not arrived by the deadline is dropped. */
  async close(deadline: number): Promise<void> {
    this.#deadline = deadline - performance.timeOrigin
    this.#sendOutside()
    await this.#sending
    if (this.#queue.length > 0) this.#drop(this.#queue.splice(0).length)
    this.#agent?.destroy()
  }

  #sendOutside(): void {
    const gathered = this.#outside
    this.#outside = undefined
    if (gathered !== undefined) this.#enqueue(null, gathered)
  }

  #enqueue(transaction: TransactionScope | null, { metrics, leftOut }: Gathered): void {
    if (this.#queue.length >= (this.#options.maxQueue ?? 1000)) {
      this.#drop(1)
      return
    }
    const body = { transaction, metrics, ...(leftOut === 0 ? {} : { leftOut }) }
    this.#queue.push(JSON.stringify(body, plain))
    this.#sending ??= this.#send()
  }

  #drop(count: number): void {
    if (this.dropped === 0 && count > 0) this.#tell(`${count} requests were dropped, the first ones`)
    this.dropped += count
  }

  /** One after the other, so that they arrive in order. */
  async #send(): Promise<void> {
    // What is called with this turn of the event loop still comes.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const problem = await this.#post(this.#queue[0]!)
      if (problem === undefined || problem.isFinal) {
        this.#queue.shift()
        if (problem !== undefined) this.#tell(problem.message)
        else if (this.#isDown) this.#tell('is back')
        this.#isDown = false
        continue
      }
      if (!this.#isDown) this.#tell(`cannot be reached: ${problem.message}`)
      this.#isDown = true
      const pause = Math.min(PAUSE, this.#deadline - performance.now())
      if (pause <= 0) break
      await new Promise((resolve) => setTimeout(resolve, pause).unref())
    }
    this.#sending = undefined
  }

  #tell(message: string): void {
    const { protocol, host, pathname } = this.#url
    const log = this.#options.log ?? console.error
    log(`HttpSurfacer: ${protocol}//${host}${pathname} ${message}`)
  }

  /** @returns Why it was not taken, and whether trying again is of no use. */
  async #post(body: string): Promise<{ readonly message: string; readonly isFinal: boolean } | undefined> {
    const http = process.getBuiltinModule(this.#url.protocol === 'https:' ? 'node:https' : 'node:http')
    this.#agent ??= new http.Agent({ keepAlive: true })
    const { timeout = 10_000, headers } = this.#options
    const left = Math.max(1, Math.min(timeout, this.#deadline - performance.now()))
    const options: RequestOptions = {
      method: 'POST',
      agent: this.#agent,
      headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(left),
    }
    return new Promise((resolve) => {
      const request = http.request(this.#url, options, (response) => {
        const { statusCode = 0 } = response
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          if (size > MOST_ANSWER) response.destroy()
        })
        response.on('error', () => {})
        response.on('close', () => {
          if (statusCode >= 200 && statusCode < 300) resolve(undefined)
          else resolve({ message: `answers ${statusCode}`, isFinal: statusCode < 500 && statusCode !== 429 })
        })
      })
      request.on('error', (error: NodeJS.ErrnoException) =>
        resolve({ message: error.code ?? error.message, isFinal: false }),
      )
      request.end(body)
    })
  }
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
