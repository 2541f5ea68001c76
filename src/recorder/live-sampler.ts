import type { LiveSettings } from '../config/live.js'
import type { TraceIdentity } from '../core/ids.js'
import { alwaysOff, alwaysOn, type ParentState, parentBased, type Sampler, traceIdRatio } from './sampler.js'

/** Decides by the settings that hold now, and by the environment where they say nothing. */
export class LiveSampler implements Sampler {
  isSilent = false
  private seen: LiveSettings | undefined
  private current: Sampler

  /**
   * @param local The sampler of the environment.
   * @param isParentBased Whether that follows the parent's decision, as this one does then.
   */
  constructor(
    private readonly local: Sampler,
    private readonly isParentBased: boolean,
    private readonly now: () => LiveSettings,
  ) {
    this.current = local
  }

  shouldSample(trace: TraceIdentity, parent: ParentState): boolean {
    const settings = this.now()
    if (settings !== this.seen) this.adopt(settings)
    return this.current.shouldSample(trace, parent)
  }

  private adopt(settings: LiveSettings): void {
    const { sampling_rate: rate, recording } = settings.values
    this.seen = settings
    this.isSilent = recording === false
    this.current = this.isSilent ? alwaysOff : rate === undefined ? this.local : this.byRate(rate)
  }

  private byRate(rate: number): Sampler {
    const ratio = rate === 1 ? alwaysOn : rate === 0 ? alwaysOff : traceIdRatio(rate)
    return this.isParentBased ? parentBased(ratio) : ratio
  }

  get threshold(): string | undefined {
    return this.current.threshold
  }

  get follows(): boolean {
    return this.current.follows === true
  }
}
