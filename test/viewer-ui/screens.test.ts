import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { accessible, noBrowser, type Stage, stage } from './browser.js'
import { ODD, ORDER, OTHER } from './server.js'

const SCREENS: readonly (readonly [string, string, string])[] = [
  ['transactions', '#/transactions', 'POST /orders/:id/pictures'],
  ['live traces', '#/traces', 'nightly job'],
  ['a waterfall', `#/trace/${ORDER}?span=0000000000000003`, 'Critical path'],
  ['lanes', `#/trace/${ORDER}?view=lanes`, 'piscina worker 4'],
  ['a trace with everything wrong', `#/trace/${ODD}`, 'came without its parent'],
  ['errors', '#/errors', 'TypeError'],
  ['one error', '#/errors/f00d00000000cafe', 'Occurrence 1 of 2'],
  ['metrics', '#/metrics', 'piscina.queue.size'],
  ['one metric', '#/metrics/piscina.queue.size', 'piscina.queue.size'],
  ['a comparison', `#/compare/${ORDER}/${OTHER}`, 'Two traces compared'],
  ['an address that is none', '#/nowhere', 'There is no such page'],
]

for (const scheme of ['light', 'dark'] as const) {
  describe(`screens, ${scheme}`, { skip: noBrowser }, () => {
    let on: Stage
    before(async () => {
      on = await stage(scheme)
    })
    after(() => on.close())

    for (const [name, hash, text] of SCREENS) {
      it(`${name}: shown, accessible, quiet, and from here only`, async () => {
        on.faults.length = 0
        const page = await on.open(hash)
        await page.getByText(text).first().waitFor()
        await accessible(page, name)
        assert.deepEqual(on.faults, [])
      })
    }

    it('follows the scheme of the system, and the choice of the reader beyond a reload', async () => {
      const page = await on.open('#/traces')
      const background = () =>
        page.evaluate('getComputedStyle(document.body).backgroundColor') as Promise<string>
      const system = await background()
      assert.equal(system, scheme === 'dark' ? 'rgb(20, 22, 26)' : 'rgb(250, 250, 248)')
      await page.keyboard.press('t')
      if (scheme === 'light') await page.keyboard.press('t')
      const chosen = await background()
      assert.notEqual(chosen, system)
      await page.reload()
      await page.getByText('nightly job').first().waitFor()
      assert.equal(await background(), chosen)
      await page.evaluate('localStorage.clear()')
    })
  })
}

describe('screens without data', { skip: noBrowser }, () => {
  let on: Stage
  before(async () => {
    on = await stage()
    on.fixture.empty = true
  })
  after(() => on.close())

  for (const [hash, text] of [
    ['#/transactions', 'Waiting for transactions'],
    ['#/traces', 'Waiting for traces'],
    ['#/errors', 'No errors'],
    ['#/metrics', 'No metrics yet'],
  ] as const) {
    it(`${hash} says what to do next`, async () => {
      const page = await on.open(hash)
      await page.getByText(text).first().waitFor()
      await accessible(page, hash)
    })
  }

  it('names the endpoint to export to', async () => {
    const page = await on.open('#/traces')
    await page.getByText('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318').first().waitFor()
  })

  it('says so when a trace is not there', async () => {
    await on.open('#/traces')
    const page = on.context.pages()[0]!
    await page.goto(`${on.fixture.url}/#/trace/${'ff'.repeat(16)}`)
    await page.getByText('This is not in the viewer.').waitFor()
  })
})
