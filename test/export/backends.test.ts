import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { root } from '../support/dist.js'
import { fixture, PRELOAD } from '../support/program.js'

type Fields = Record<string, Record<string, unknown>>
interface Golden {
  opentelemetry: Fields
  threadspan: Fields
}

const { fieldsOf } = (await import(root('test/support/backends.js'))) as {
  fieldsOf(program: string, how: { execPath: string; execArgv: string[]; env: object }): Promise<Fields>
}
const { BEGIN, END, textOf } = (await import(root('test/support/backends-table.js'))) as {
  BEGIN: string
  END: string
  textOf(golden: Golden): string
}
const golden = JSON.parse(readFileSync(fixture('backends/fields.json'), 'utf8')) as Golden

/** What is told of OpenTelemetry's SDK is made by `npm run test:backends`. */
describe('what a backend gets of a request', () => {
  it('is what docs/backends.md compares', async () => {
    const fields = await fieldsOf(fixture('backends/shop.cjs'), {
      execPath: process.execPath,
      execArgv: ['--require', PRELOAD],
      env: {},
    })
    assert.deepEqual(fields, golden.threadspan)
  })

  it('differs from what it gets of the SDK as the page says, each time for a reason', () => {
    const page = readFileSync('docs/backends.md', 'utf8')
    const text = page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)).trim()
    assert.equal(text, textOf(golden))
  })
})
