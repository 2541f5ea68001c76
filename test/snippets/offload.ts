import assert from 'node:assert/strict'
import { isMainThread } from 'node:worker_threads'
// #region right
import { Piscina } from 'piscina'
import { Offload, start, tracePool, withTransaction } from 'threadspan'

let made: Piscina | undefined
const pool = () => {
  made ??= tracePool(new Piscina()) // when first needed, so not in the workers, which import this file too
  return made
}

export class Report {
  constructor(readonly year: number) {}

  @Offload(pool)
  static async sum(numbers: readonly number[]): Promise<number> {
    return numbers.reduce((a, b) => a + b, 0)
  }

  @Offload(pool, {
    state: (report: Report) => report.year, // what crosses in the place of `this`
    revive: (year: number) => new Report(year), // and what is made of it there
  })
  async title(prefix: string): Promise<string> {
    return `${prefix} ${this.year}`
  }
}
// #endregion

// #region wrong
class Hidden {
  readonly year = 2026

  @Offload(pool)
  static async run(): Promise<void> {} // THREADSPAN_OFFLOAD_NOT_FOUND: the worker cannot import what is not exported
}
// #endregion

if (isMainThread) {
  start()
  await withTransaction('report', async () => {
    assert.equal(await Report.sum([1, 2]), 3)
    assert.equal(await new Report(2026).title('Year'), 'Year 2026')
  })
  await assert.rejects(Hidden.run(), { code: 'THREADSPAN_OFFLOAD_NOT_FOUND' })
  await made?.close()
}
