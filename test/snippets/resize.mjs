// #region right
import { traceTask, withSpan } from 'threadspan/worker'

export default traceTask((file) => withSpan('resize', () => `small ${file}`))
// #endregion
