import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { noBrowser, words } from './browser.js'
import { type RealStage, realStage } from './real-stage.js'
import { Sender, shop } from './shop.js'

/** What somebody wants who sees the page for the first time. SCREENSHOTS names a folder that keeps a picture of each step. */
describe('the walk from services to a cause', { skip: noBrowser }, () => {
  let on: RealStage
  before(async () => {
    on = await realStage()
    await shop(new Sender(on.viewer.endpoint), 1200)
  })
  after(() => on.close())

  it('needs no detour: rates, a distribution to a sample, statements, own and library frames, statuses over time, a host', async (t) => {
    const kept = process.env['SCREENSHOTS']
    const folder = kept ?? mkdtempSync(join(tmpdir(), 'threadspan-walk-'))
    t.after(() => kept === undefined && rmSync(folder, { recursive: true, force: true }))
    const page = await on.open('')
    let clicks = 0
    let step = 0
    const see = async (name: string) => {
      await page.screenshot({ path: join(folder, `${++step}-${name}.png`) })
    }

    // Which services are there, and how much do they do?
    const services = page.getByRole('region', { name: 'Services', exact: true })
    const gateway = services.getByRole('row', { name: /^gateway/ })
    await gateway.waitFor()
    assert.match(await words(gateway), /gateway1,20060\.?\d*.*ms/)
    await see('services')

    // How long does one path take?
    await gateway.getByRole('link', { name: 'gateway', exact: true }).click()
    clicks++
    await page.getByRole('link', { name: 'GET /cart', exact: true }).first().click()
    clicks++
    await page.getByRole('heading', { name: 'GET /cart' }).waitFor()
    const bars = page.getByRole('toolbar', { name: 'Latency distribution' })
    await bars.waitFor()
    // Statuses over time stand beside it.
    const statuses = page.getByRole('slider', { name: /^Transactions by status/ })
    await statuses.locator('canvas').waitFor()
    const named = page.getByRole('group', { name: /Lines of Transactions by status/ })
    for (const name of ['2xx', '3xx', '4xx', '5xx']) await named.getByRole('button', { name }).waitFor()
    await see('transaction')

    // Which of them were slow? A brush over the right end, and a sample from there.
    const box = (await bars.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.8, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width - 2, box.y + 60, { steps: 4 })
    await page.mouse.up()
    clicks++
    await page.getByText(/^At least/).waitFor()
    await see('brushed')
    await page.getByRole('region', { name: 'Samples', exact: true }).getByRole('link').first().click()
    clicks++

    // Which statements did it run?
    const statement = page.getByRole('row', { name: /SELECT orders/ })
    await statement.waitFor()
    await see('sample')
    await statement.click()
    clicks++
    const details = page.getByRole('complementary', { name: 'Span details' })
    await details.locator('.sql', { hasText: 'SELECT id, total' }).waitFor()
    await see('statement')

    // What fails, and where in the own code?
    await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Errors' }).click()
    clicks++
    await page.getByRole('button', { name: 'Clear all' }).click()
    clicks++
    await page.getByRole('link', { name: 'PaymentDeclinedError' }).click()
    clicks++
    await page.getByText('at charge (/srv/payments/src/charge.js:41:11)').waitFor()
    await page.getByRole('button', { name: 'Show 2 library frames' }).click()
    clicks++
    assert.equal(await page.locator('.stack li.library').count(), 2)
    await see('error')

    // And on one host only?
    await page
      .getByRole('navigation', { name: 'Screens' })
      .getByRole('link', { name: 'Transactions' })
      .click()
    clicks++
    await page.getByRole('combobox', { name: 'Host' }).selectOption('shop-1')
    clicks++
    await page
      .getByRole('region', { name: 'By host' })
      .getByRole('row', { name: /shop-1.*100 %/ })
      .waitFor()
    await see('host')

    t.diagnostic(`${clicks} clicks, ${step} pictures`)
    assert.ok(clicks <= 11, `${clicks} clicks`)
    const pictures = readdirSync(folder).filter((file) => file.endsWith('.png'))
    assert.ok(pictures.length >= step && pictures.every((file) => statSync(join(folder, file)).size > 10_000))
    assert.deepEqual(on.faults, [])
  })
})
