import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReceivedSpan } from '../support/receiver.js'
import { PLACES, spansOf } from './run.js'

const SUBJECT = { name: 'Express', app: 'express', variant: 'express' }

const ask = async (base: string): Promise<void> => {
  for (const path of ['/orgs/acme/items/7?x=/health', '/orgs/HEALTH/items/7', '/orgs/acme/items/8'])
    await (
      await fetch(`${base}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"what":"x"}',
      })
    ).text()
}

const paths = (spans: readonly ReceivedSpan[]): unknown[] =>
  spans.filter(({ kind }) => kind === 2).map(({ attributes }) => attributes['url.path'])

for (const where of PLACES)
  describe(`requests that THREADSPAN_IGNORE_URLS leaves out, ${where}`, () => {
    test('nothing is recorded of what is done for them', async () => {
      const spans = await spansOf(SUBJECT, 'cjs', where, ask, {
        THREADSPAN_IGNORE_URLS: ' /orgs/health/* ,*/8',
      })
      assert.deepEqual(paths(spans), ['/orgs/acme/items/7'])
      for (const name of ['middleware', 'body x', 'stream', 'task'])
        assert.equal(spans.filter((span) => span.name === name).length, 1, name)
    })

    test('the case of letters counts where a pattern says so', async () => {
      const spans = await spansOf(SUBJECT, 'cjs', where, ask, {
        THREADSPAN_IGNORE_URLS: '(?-i)/orgs/health/*',
      })
      assert.equal(paths(spans).length, 3)
    })
  })
