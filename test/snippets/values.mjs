import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { capture, propagate, Snapshot, start } from 'threadspan'

start()

// #region wrong
const connection = new AsyncLocalStorage()
propagate(connection, { name: 'connection' }) // in another thread it is what JSON leaves of a socket
// #endregion

// #region right
const user = new AsyncLocalStorage()
propagate(user, {
  name: 'user', // the same in every thread
  serialize: ({ id, tenant }) => ({ id, tenant }), // what travels in its place
  deserialize: ({ id, tenant }) => ({ id, tenant, isRemote: true }),
})
// #endregion

const carrier = connection.run({ socket: () => {} }, () =>
  user.run({ id: 1, tenant: 'acme', password: 'x' }, () => capture().toCarrier()),
)
assert.deepEqual(carrier.values, { connection: {}, user: { id: 1, tenant: 'acme' } })
Snapshot.from(carrier).run(() => assert.deepEqual(user.getStore(), { id: 1, tenant: 'acme', isRemote: true }))
process.exit()
