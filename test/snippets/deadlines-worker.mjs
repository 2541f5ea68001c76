// #region right
import { currentSignal, traceTask } from 'threadspan/worker'

export default traceTask(({ rows }) => {
  const signal = currentSignal()
  let total = 0
  for (let row = 0; row < rows; row++) {
    // A busy thread gets no events: it looks, now and then.
    if (row % 10_000 === 0 && signal.aborted) return { total, complete: false }
    total += row
  }
  return { total, complete: true }
})
// #endregion
