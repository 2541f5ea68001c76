import assert from 'node:assert/strict'
import { trace } from '@opentelemetry/api'
import { currentTransaction, start, withSpan, withTransaction } from 'threadspan'

start()
const user = { plan: 'free' }
const load = async () => 1
const render = async () => currentTransaction()?.name

// #region wrong
async function report() {
  const span = trace.getTracer('app').startSpan('report')
  await load() // no child of it: a span that is started is not active
  span.end() // never, if load() fails
}
// #endregion

// #region right
async function nightlyReport() {
  return withTransaction({ name: 'nightly report', root: true }, async (transaction) => {
    transaction.setAttribute('user.plan', user.plan)
    const [page] = await Promise.all([withSpan('render', render), withSpan('load', load)]) // siblings
    return page
  })
}
// #endregion

await report()
assert.equal(await nightlyReport(), 'nightly report')

// #region current
function chooseName(route) {
  currentTransaction()?.setName(`GET ${route}`) // of low cardinality: the route, not the path
}
// #endregion
withTransaction('GET', ({ span }) => {
  chooseName('/users/:id')
  assert.equal(span.name, 'GET /users/:id')
})
process.exit()
