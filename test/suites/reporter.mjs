// A reporter for `node --test` that prints one line of JSON for each test that is not a suite.
import { basename } from 'node:path'

export default async function* report(source) {
  for await (const { type, data } of source) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') continue
    const skipped = data.skip !== undefined || data.todo !== undefined
    const outcome = skipped ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed'
    const cause = data.details?.error?.cause ?? data.details?.error
    const error = outcome === 'failed' ? String(cause?.message ?? cause) : undefined
    const file = basename(data.file ?? '')
    // Before Node 22 the runner also reports each file as a test of its own.
    if (data.name.endsWith(file) && file !== '') continue
    yield `${JSON.stringify({ id: `${file}: ${data.name}`, file, outcome, error })}\n`
  }
}
