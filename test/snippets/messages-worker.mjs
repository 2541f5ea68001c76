// #region right
import { parentPort } from 'node:worker_threads'
import { withCarrier, withSpan, wrapHandler } from 'threadspan/worker'

parentPort.on(
  'message',
  wrapHandler(({ id, text }) => {
    const answer = withSpan('count words', () => text.split(' ').length)
    parentPort.postMessage(withCarrier({ id, answer }))
  }),
)
// #endregion
