import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { byRequest, REQUESTS, runClient } from './support.js'

describe('requests of an undici pool that is busy', () => {
  for (const form of ['require', 'import'] as const) {
    it(`belong to whoever made them: by ${form}`, async () => {
      const spans = await runClient({ scenario: 'undici', name: 'undici', form, port: 0 })
      const paths = byRequest(spans).map((those) =>
        those
          .filter(({ kind }) => kind === 3)
          .map(({ attributes }) => new URL(String(attributes['url.full'])).pathname),
      )
      assert.deepEqual(paths, Array(REQUESTS).fill(['/request', '/callback', '/stream']))
    })
  }

  it('run what they call in the request that asked, also where they are no spans', async () => {
    const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'undici,http' }
    const spans = await runClient({ scenario: 'undici', name: 'undici', port: 0, env })
    assert.equal(spans.length, REQUESTS)
  })
})
