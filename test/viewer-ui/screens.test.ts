import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { accessible, noBrowser, type Stage, stage } from './browser.js'
import { ODD, ORDER, OTHER } from './server.js'

const SCREENS: readonly (readonly [string, string, string])[] = [
  ['services', '#/services', 'Errors/min'],
  ['the service map', '#/services?view=map', 'Connections'],
  ['transactions', '#/transactions', 'POST /orders/:id/pictures'],
  ['one transaction', '#/transactions?service=shop&transaction=reindex&last=3600000', 'Latency distribution'],
  ['live traces', '#/traces', 'nightly job'],
  ['a waterfall', `#/trace/${ORDER}?span=0000000000000003`, 'Critical path'],
  ['lanes', `#/trace/${ORDER}?view=lanes`, 'piscina worker 4'],
  ['statistics of a trace', `#/trace/${ORDER}?view=statistics`, 'Of all self time'],
  ['a flame graph', `#/trace/${ORDER}?view=flame`, 'laid together'],
  ['logs of a trace', `#/trace/${ORDER}?view=logs`, 'record 1'],
  ['logs', '#/logs', 'record 1'],
  ['a trace that is not there', `#/trace/${'ff'.repeat(16)}`, 'This trace is not here'],
  ['a trace with everything wrong', `#/trace/${ODD}`, 'came without its parent'],
  ['errors', '#/errors', 'TypeError'],
  ['one error', '#/errors/f00d00000000cafe', 'Occurrence 1 of the latest 2'],
  ['metrics', '#/metrics', 'piscina.queue.size'],
  ['one metric', '#/metrics/piscina.queue.size', 'piscina.queue.size'],
  ['processes', '#/processes', 'shop 7'],
  ['a process', '#/processes/7@web-1', 'Event loop'],
  ['a thread', '#/processes/7@web-1?thread=4&at=1700000000000~1700000001000', 'Marked'],
  ['a comparison', `#/compare/${ORDER}/${OTHER}`, 'Two traces compared'],
  ['an address that is none', '#/nowhere', 'There is no such page'],
]

const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
]

for (const scheme of ['light', 'dark'] as const) {
  describe(`screens, ${scheme}`, { skip: noBrowser }, () => {
    let on: Stage
    before(async () => {
      on = await stage(scheme)
    })
    after(() => on.close())

    for (const [name, hash, text] of SCREENS) {
      it(`${name}: shown, accessible on a desk and a phone, nothing cut, quiet, and from here only`, async () => {
        on.faults.length = 0
        for (const size of SIZES) {
          await on.context.pages()[0]!.setViewportSize(size)
          const page = await on.open(hash)
          await page.getByText(text).first().waitFor()
          await accessible(page, `${name} at ${size.width}`)
          const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
          assert.equal(wide, 0, `${name} at ${size.width} is wider than the screen`)
        }
        // What is not there is answered 404, which browsers tell of.
        assert.deepEqual(
          on.faults.filter((fault) => !hash.includes('ff'.repeat(16)) || !fault.includes('404')),
          [],
        )
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
    ['#/services', 'Waiting for transactions'],
    ['#/transactions', 'Waiting for transactions'],
    ['#/logs', 'No logs yet'],
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
    await page.getByRole('link', { name: 'Go to the traces' }).click()
    await page.getByRole('heading', { name: 'Live traces' }).waitFor()
  })
})
