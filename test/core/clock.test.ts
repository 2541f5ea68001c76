import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { dist } from '../support/dist.js'

/** What a program sees that loads the clock under a wall clock which it sets, in seconds beside the real one. */
function withWallClock(code: string): unknown {
  const program = `const real = Date.now
    let step = 0
    Date.now = () => real() + step * 1000
    const clock = await import(${JSON.stringify(dist('core/clock.js'))})
    const words = new Int32Array(2)
    const at = (time, origin) => {
      clock.writeUnixNano(words, 0, time, origin)
      return ((BigInt(words[1]) << 32n) | BigInt(words[0] >>> 0)) / 1_000_000n
    }
    /** Seconds by which a time is written ahead of the real one. */
    const ahead = (time, origin) => Math.round((Number(at(time, origin)) - real() - (time - clock.now())) / 1000)
    /** As if the last look had been long ago; more than once, since one that is interrupted says nothing. */
    const look = () => {
      for (let i = 1; i <= 20; i++) clock.lookAtWall(clock.now() + i * 1e6)
    }
    ${code}`
  const args = ['--input-type=module', '--eval', program]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}

describe('the clock', () => {
  it('follows the wall clock where that has gone on without it, and open spans end by it', () => {
    const seen = withWallClock(`
      clock.startClock()
      const parent = clock.originOf(undefined)
      step = 3600
      const before = ahead(clock.now())
      look()
      const child = clock.originOf(parent)
      console.log(JSON.stringify([before, ahead(clock.now(), parent), ahead(clock.now(), child), ahead(clock.now())]))`)
    // A child that starts an hour later ends within its parent, which ends by the same clock.
    assert.deepEqual(seen, [0, 0, 3600, 3600])
  })

  it('lets an open span and its children keep their clock where the wall clock is set back', () => {
    const seen = withWallClock(`
      clock.startClock()
      const parent = clock.originOf(undefined)
      step = -3600
      look()
      const child = clock.originOf(parent)
      console.log(JSON.stringify([ahead(clock.now(), child), ahead(clock.now(), clock.originOf(undefined))]))`)
    assert.deepEqual(seen, [0, -3600])
  })

  it('takes no notice of what is less than a second, and looks once a second at most', () => {
    const seen = withWallClock(`
      clock.startClock()
      step = 0.9
      look()
      const little = ahead(clock.now())
      step = 3600
      clock.lookAtWall(clock.now())
      console.log(JSON.stringify([little, ahead(clock.now())]))`)
    assert.deepEqual(seen, [0, 0])
  })

  it('moves for all threads of a process at once', () => {
    const seen = withWallClock(`
      const { Worker } = await import('node:worker_threads')
      const cell = new Int32Array(new SharedArrayBuffer(12))
      const anchor = clock.startClock()
      clock.shareClock(cell, 0)
      step = 3600
      look()
      // A Worker whose own wall clock is right, and that was handed what was known at first.
      const code = 'import(process.env.CLOCK).then((clock) => { const { workerData, parentPort } = process.getBuiltinModule("node:worker_threads"); clock.startClock(workerData.anchor); clock.shareClock(workerData.cell, 0); parentPort.postMessage(clock.clockAnchor()) })'
      const worker = new Worker(code, { eval: true, workerData: { anchor, cell }, env: { CLOCK: ${JSON.stringify(dist('core/clock.js'))} } })
      const theirs = await new Promise((resolve) => worker.once('message', resolve))
      console.log(JSON.stringify([String(clock.clockAnchor() - theirs), Number((theirs - anchor + 500_000_000n) / 1_000_000_000n)]))`)
    assert.deepEqual(seen, ['0', 3600])
  })

  it('is not that of a test which replaces timers and clocks later', () => {
    const seen = withWallClock(`
      clock.startClock()
      const { now } = performance
      performance.now = () => 0
      Date.now = () => 0
      process.hrtime = () => [0, 0]
      const one = clock.now()
      look()
      performance.now = now
      Date.now = real
      console.log(JSON.stringify([one > 0, ahead(clock.now())]))`)
    assert.deepEqual(seen, [true, 0])
  })
})
