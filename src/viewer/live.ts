import type { ServerResponse } from 'node:http'
import type { Status, TraceSummary } from './api.js'

/** Milliseconds between two looks at what has changed; nothing runs while nobody listens. */
const INTERVAL = 500

/** Most traces told of at once; a page that needs more asks for the list. */
const MOST_TRACES = 100

/** A listener that does not read is cut off when this many bytes wait for it. */
const MAX_BACKLOG = 4 * 1024 * 1024

/** What the stream tells of. */
export interface LiveSource {
  status(): Status
  /** Traces that changed since the last call, the newest `most` of them. */
  changed(most: number): TraceSummary[]
}

/** `GET /api/live`: server-sent events (WHATWG HTML, "Server-sent events"): `trace` with a summary, `status`. */
export class Live {
  readonly #source: LiveSource
  readonly #listeners = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined
  #last = ''

  constructor(source: LiveSource) {
    this.#source = source
  }

  /** Answers with an endless stream that starts with the status. */
  listen(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    // What came before is in the lists.
    if (this.#listeners.size === 0) this.#source.changed(0)
    response.write(`retry: 1000\n\n${event('status', this.#source.status())}`)
    this.#listeners.add(response)
    response.on('close', () => this.#leave(response))
    response.on('error', () => this.#leave(response))
    this.#timer ??= setInterval(() => this.#tell(), INTERVAL)
    this.#timer.unref()
  }

  /** Ends every stream. */
  close(): void {
    for (const response of this.#listeners) response.end()
    this.#listeners.clear()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #leave(response: ServerResponse): void {
    this.#listeners.delete(response)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tell(): void {
    let text = ''
    for (const summary of this.#source.changed(MOST_TRACES)) text += event('trace', summary)
    const status = event('status', this.#source.status())
    if (status !== this.#last) text += status
    this.#last = status
    if (text === '') return
    for (const response of this.#listeners) {
      if (response.writableLength > MAX_BACKLOG) response.destroy()
      else response.write(text)
    }
  }
}

/** JSON has no line breaks outside of strings, and none inside them. */
function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
