import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TraceIdentity } from '#dist/core/ids.js'

import { LiveSampler } from '#dist/recorder/live-sampler.js'
import { alwaysOn, parentBased, toldState } from '#dist/recorder/sampler.js'
import type { LiveSettings, Settings } from '../../src/config/live.js'

const settings = (values: Settings): LiveSettings => ({
  values,
  isDeactivated: () => false,
  isIgnored: () => false,
  groupOf: () => undefined,
  stackOf: (stack) => stack,
})

describe('a sampler that goes by settings', () => {
  it('decides, and tells its threshold, by those that hold now', () => {
    let now = settings({})
    const sampler = new LiveSampler(parentBased(alwaysOn), true, () => now)
    const share = (parent: 'none' | 'remote-sampled' | 'remote-not-sampled') => {
      let count = 0
      for (let i = 0; i < 1000; i++) if (sampler.shouldSample(TraceIdentity.random(), parent)) count++
      return count / 1000
    }
    const told = () => toldState(sampler, undefined, true)?.serialize()
    assert.deepEqual(
      [share('none'), share('remote-sampled'), share('remote-not-sampled'), told()],
      [1, 1, 0, undefined],
    )
    now = settings({ sampling_rate: 0.5 })
    // Six standard deviations.
    assert.ok(Math.abs(share('none') - 0.5) < 0.1)
    assert.deepEqual([share('remote-sampled'), share('remote-not-sampled'), told()], [1, 0, 'ot=th:8'])
    now = settings({ sampling_rate: 1 })
    assert.deepEqual([share('none'), told()], [1, undefined])
    now = settings({ sampling_rate: 0 })
    assert.deepEqual([share('none'), share('remote-sampled')], [0, 1])
    now = settings({ recording: false, sampling_rate: 1 })
    assert.deepEqual([share('none'), share('remote-sampled'), sampler.isSilent], [0, 0, true])
    now = settings({})
    assert.deepEqual([share('none'), sampler.isSilent], [1, false])
  })
})
