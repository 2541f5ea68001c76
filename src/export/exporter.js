/**
 * What the Collector hands on, and the contract of everything that takes it. Spans arrive as the protobuf bytes that
 * the recorder made of them, and stay so until an exporter needs more than their bytes.
 */
/** The number of spans in `batches`. */
export function countSpans(batches) {
  let count = 0
  for (const batch of batches) count += batch.count
  return count
}
/** Nothing was dropped. */
export function allDelivered(count) {
  return { delivered: count, dropped: new Map() }
}
/** Nothing arrived, for one and the same cause. */
export function allDropped(count, cause) {
  return { delivered: 0, dropped: count > 0 ? new Map([[cause, count]]) : new Map() }
}
