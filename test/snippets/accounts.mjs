import assert from 'node:assert/strict'
import { accounts, flush, start, withSpan } from 'threadspan'

start()
for (let i = 0; i < 20; i++) withSpan('work', () => {})

// #region accounts
await flush()
const { made, delivered, waiting, kept, dropped } = accounts()
const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0)
assert.equal(made, delivered + waiting + kept + lost) // always
// #endregion

assert.deepEqual(accounts(), { made: 20, delivered: 20, waiting: 0, kept: 0, dropped: {} })
