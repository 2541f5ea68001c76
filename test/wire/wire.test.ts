import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'

interface Row {
  name: string
  isGood: boolean
}

describe('endpoints with a fault', { timeout: 300_000 }, () => {
  it('cost what the documentation says, and every span is accounted for', async () => {
    // The same with an outage of a minute: `npm run test:wire`.
    const child = spawn(process.execPath, ['test/wire/run.js', '--outage', '2', '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    await new Promise((done) => child.on('close', done))
    const rows = JSON.parse(text) as Row[]
    assert.equal(rows.length, 39)
    for (const row of rows) assert.ok(row.isGood, JSON.stringify(row))
  })
})
