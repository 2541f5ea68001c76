import assert from 'node:assert/strict'
import { captureError, start, withSpan, withTransaction } from 'threadspan'

start()
const charge = async () => {
  throw new Error('declined')
}
const chargeLater = async () => 'later'

// #region wrong
async function pay() {
  try {
    return await withSpan('charge', charge)
  } catch (error) {
    captureError(error) // it has left a span, and is told there
    throw error // and would be told by the transaction
  }
}
// #endregion

// #region right
async function payOrWait(order) {
  try {
    return await charge(order)
  } catch (error) {
    captureError(error, { 'order.kind': order.kind }) // dealt with here: nobody else would tell of it
    return chargeLater(order)
  }
}
// #endregion

await assert.rejects(withTransaction('pay', pay), /declined/)
assert.equal(await withTransaction('pay', () => payOrWait({ kind: 'gift' })), 'later')

// #region domain
// Where a library loses the context on the way, errors of this transaction's work are still traced to it.
await withTransaction({ name: 'import', errors: 'domain' }, chargeLater)
// #endregion
process.exit()
