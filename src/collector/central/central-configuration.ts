/** Settings from a server: asked for again and again, and applied in all threads of this process and of its descendants. */
import type { Settings } from '../../config/live.js'
import { readSettings } from '../../config/settings.js'
import type { ExportLog } from '../../export/exporter.js'
import type { AppliedSettings } from '../applied-settings.js'
import type { Source } from './source.js'

/** Milliseconds between two attempts at most, where the server does not answer and is not asked less often anyway. */
const LONGEST_RETRY = 300_000
/** Milliseconds before what has become of settings is told. */
const SOON = 50
/** Looks in a row without a pause: a server that always wants more is asked no faster for it. */
const MOST_AT_ONCE = 3
/** Problems that one line tells of. */
const MOST_TOLD = 5

export interface CentralOptions {
  readonly source: Source
  /** The server as it may be shown. */
  readonly server: string
  readonly applied: AppliedSettings
  /** What holds where the server says nothing. */
  readonly local: Settings
  readonly log: ExportLog
}

export class CentralConfiguration {
  private timer: NodeJS.Timeout | undefined
  private isClosed = false
  /** What came last; `null` before anything did. */
  private last: string | undefined | null = null
  private problem: string | undefined
  private failures = 0
  private atOnce = 0

  constructor(private readonly options: CentralOptions) {
    void this.look()
  }

  private async look(): Promise<void> {
    const { source } = this.options
    const look = await source.look()
    if (this.isClosed) return
    if (look.kind === 'failed') this.failed(look.why)
    else {
      this.reached()
      if (look.kind === 'other' && look.text !== this.last) this.adopt(look.text)
      else if (look.kind === 'other') this.tell()
    }
    this.timer = setTimeout(() => void this.look(), this.pause()).unref()
  }

  /** Many processes start at the same time: they do not ask at the same time for ever. */
  private pause(): number {
    const { source } = this.options
    if (this.failures === 0 && source.isDue && this.atOnce++ < MOST_AT_ONCE) return SOON
    this.atOnce = 0
    const { interval } = source
    const pause = Math.min(interval * 2 ** Math.max(0, this.failures - 1), Math.max(interval, LONGEST_RETRY))
    return pause * (0.9 + Math.random() / 10)
  }

  private failed(why: string): void {
    if (this.failures++ > 0) return
    const { server, log } = this.options
    log(
      'warn',
      'THREADSPAN_CENTRAL_UNREACHABLE',
      `no central configuration from ${server}: ${why}. What held before holds; trying again, quietly`,
    )
  }

  private reached(): void {
    if (this.failures === 0) return
    this.failures = 0
    const { server, log } = this.options
    log('info', 'THREADSPAN_CENTRAL_RECOVERED', `central configuration comes from ${server} again`)
  }

  private adopt(text: string | undefined): void {
    const { applied, server, log } = this.options
    this.last = text
    let document: unknown = {}
    try {
      if (text !== undefined) document = JSON.parse(text)
    } catch {
      document = undefined
    }
    const before = applied.current
    const { settings, problems } =
      document === undefined
        ? { settings: before, problems: ['it is no JSON'] }
        : readSettings(document, before)
    const changes = changesOf(before, settings)
    if (changes.length > 0) {
      applied.apply(settings)
      log('info', 'THREADSPAN_CENTRAL_APPLIED', `central configuration: ${changes.join(', ')}`)
    }
    const more = problems.length > MOST_TOLD ? [`${problems.length - MOST_TOLD} more`] : []
    this.problem = [...problems.slice(0, MOST_TOLD), ...more].join('; ') || undefined
    if (this.problem !== undefined)
      log(
        'warn',
        'THREADSPAN_CENTRAL_INVALID',
        `central configuration of ${server} is not as it should be: ${this.problem}`,
      )
    this.tell()
  }

  private tell(): void {
    const { problem } = this
    const { applied, local, source } = this.options
    const { deactivate_instrumentations: off = [] } = local
    const { deactivate_instrumentations: more = [] } = applied.current
    source.tell({
      problem,
      effective: {
        ...local,
        ...applied.current,
        // Those of the environment stay off.
        deactivate_instrumentations: [...new Set([...off, ...more])],
      },
    })
  }

  /** @param deadline Milliseconds of `monotonicNow`. */
  async close(deadline: number): Promise<void> {
    this.isClosed = true
    clearTimeout(this.timer)
    await this.options.source.close(deadline)
  }
}

function changesOf(before: Settings, after: Settings): string[] {
  const names = Object.keys({ ...before, ...after }) as (keyof Settings)[]
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) =>
      after[name] === undefined ? `${name} as the environment says` : `${name} ${shown(after[name])}`,
    )
}

/** Lists can be long, and hold what is nobody's business. */
function shown(value: Settings[keyof Settings]): string {
  return Array.isArray(value) ? `of ${value.length} entries` : String(value)
}
