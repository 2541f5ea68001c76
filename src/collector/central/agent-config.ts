/** Settings in the form of APM Server's "Agent configuration API": `GET /config/v1/agents`. */
import type { CentralConfig } from '../../config/central.js'
import { reason } from '../../export/notices.js'
import { Requester } from './request.js'
import type { Look, Outcome, Source } from './source.js'

/** Milliseconds: bounds of what a server may ask for. */
const LEAST = 5_000
const MOST = 3_600_000

/** Answers that say why in themselves. */
const REFUSALS: Readonly<Record<number, string>> = {
  401: 'it wants to know who asks (401): see THREADSPAN_CENTRAL_CONFIG_HEADERS',
  403: 'it does not give settings (403)',
  404: 'it knows of no settings (404)',
  503: 'it has no settings at the moment (503)',
}

export class AgentConfigSource implements Source {
  readonly isDue = false
  interval: number
  private readonly url: URL
  private readonly requester: Requester
  private etag: string | undefined

  constructor(
    private readonly config: CentralConfig,
    service: { readonly name: string; readonly environment: string | undefined },
  ) {
    this.url = new URL(config.url)
    this.url.searchParams.set('service.name', service.name)
    if (service.environment !== undefined)
      this.url.searchParams.set('service.environment', service.environment)
    this.interval = config.interval
    this.requester = new Requester(config)
  }

  async look(): Promise<Look> {
    try {
      const headers = this.etag === undefined ? {} : { 'if-none-match': this.etag }
      const {
        status,
        headers: fields,
        body,
      } = await this.requester.ask({ url: this.url, method: 'GET', headers })
      this.interval = intervalOf(fields['cache-control']) ?? this.config.interval
      if (status === 304) return { kind: 'same' }
      if (status !== 200)
        return { kind: 'failed', why: REFUSALS[status] ?? `it answers with status ${status}` }
      this.etag = fields.etag
      return { kind: 'other', text: body.toString() }
    } catch (error) {
      return { kind: 'failed', why: reason(error as Error) }
    }
  }

  /** The next request names the settings that all hold: by that the server knows. */
  tell({ problem }: Outcome): void {
    if (problem !== undefined) this.etag = undefined
  }

  async close(): Promise<void> {
    this.requester.close()
  }
}

/** `max-age` of RFC 9111; undefined where there is none, or 0. */
function intervalOf(field: string | undefined): number | undefined {
  const seconds = Number(/(?:^|[\s,])max-age="?(\d{1,10})/i.exec(field ?? '')?.[1] ?? 0)
  return seconds > 0 ? Math.min(MOST, Math.max(LEAST, seconds * 1000)) : undefined
}
