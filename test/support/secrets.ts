import assert from 'node:assert/strict'
import type { ReceivedSpan } from './receiver.js'

/** That no span tells of what programs mark as secret. */
export function assertNoSecrets(spans: readonly ReceivedSpan[]): void {
  const told = spans.map(({ name, attributes, status, events }) => [name, attributes, status, events])
  assert.doesNotMatch(JSON.stringify(told), /SECRET/)
}
