import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { noBrowser, type Stage, stage, words } from './browser.js'
import { ORDER, OTHER } from './server.js'
import { orderTrace, summaryOf } from './traces.js'

describe('lists', { skip: noBrowser }, () => {
  let on: Stage
  before(async () => {
    on = await stage()
  })
  after(() => on.close())

  it('pick samples with a brush over the distribution', async () => {
    const page = await on.open('#/transactions')
    const bars = page.getByRole('toolbar', { name: 'Latency distribution' })
    const box = (await bars.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.8, box.y + 60, { steps: 4 })
    const request = page.waitForRequest(/\/api\/samples\?.*min=/)
    await page.mouse.up()
    await page.getByText('At least').waitFor()
    const { min, max } = Object.fromEntries(new URL((await request).url()).searchParams)
    assert.ok(Number(min) > 2 && Number(max) > Number(min) * 2)
    assert.match(page.url(), /min=.*max=/)
  })

  it('pick samples from the keyboard', async () => {
    const page = await on.open('#/transactions')
    await page.locator('.bars button[tabindex="0"]').focus()
    for (const key of ['ArrowRight', 'ArrowRight', 'Enter', 'ArrowRight', 'Shift+Enter'])
      await page.keyboard.press(key)
    assert.equal(await page.locator('.bars button[aria-pressed="true"]').count(), 2)
    await page.keyboard.press('Escape')
    assert.equal(await page.locator('.bars button[aria-pressed="true"]').count(), 0)
  })

  it('narrow by transaction, and back', async () => {
    const page = await on.open('#/transactions')
    await page.getByRole('link', { name: 'GET /products' }).click()
    await page.getByRole('button', { name: 'Remove filter: GET /products' }).waitFor()
    await page.getByText('reindex').first().waitFor({ state: 'detached' })
    await page.goBack()
    await page.getByText('reindex').first().waitFor()
  })

  it('sort by any column', async () => {
    const page = await on.open('#/transactions')
    const table = page.getByRole('region', { name: 'Transactions' }).last()
    let asked = page.waitForRequest(/\/api\/transactions\?sort=p50&limit=10$/)
    await table.getByRole('button', { name: 'p50' }).click()
    await asked
    asked = page.waitForRequest(/\/api\/transactions\?sort=p50&order=asc&limit=10$/)
    await table.getByRole('button', { name: 'p50' }).click()
    await asked
    assert.equal(await words(table.locator('th[aria-sort="ascending"]')), 'p50↑')
    assert.match(page.url(), /sort=p50\.asc/)
  })

  it('follow what arrives, pause, and resume', async () => {
    const page = await on.open('#/traces')
    await page.getByText('Live', { exact: true }).waitFor()
    const arrive = (digit: string, name: string) =>
      on.fixture.emit({ ...summaryOf(orderTrace(digit.repeat(32), 9)), name })
    arrive('1', 'first to arrive')
    await page.getByRole('link', { name: 'first to arrive' }).waitFor()
    await page.keyboard.press('p')
    arrive('2', 'while paused')
    await page.getByRole('button', { name: 'Resume (1 new)' }).waitFor()
    assert.equal(await page.getByText('while paused').count(), 0)
    await page.getByRole('button', { name: 'Resume (1 new)' }).click()
    await page.getByRole('link', { name: 'while paused' }).waitFor()
    const first = await words(page.locator('tbody tr').first())
    assert.match(first, /while paused/)
  })

  it('compare two traces', async () => {
    const page = await on.open('#/traces')
    const boxes = page.getByRole('checkbox', { name: 'Compare POST /orders/:id/pictures' })
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    await page.getByRole('link', { name: 'Compare the two' }).click()
    assert.match(page.url(), new RegExp(`#/compare/${ORDER}/${OTHER}`))
    const row = page.getByRole('row', { name: /resize shop/ })
    await row.waitFor()
    assert.match(await words(row), /14 → 20/)
  })

  it('lead from an error to its place in a trace, and mark spans that a death closed', async () => {
    const page = await on.open('#/errors')
    await page.getByRole('link', { name: 'TypeError' }).click()
    await page.getByText('at decode (src/pictures.js:31:11)').waitFor()
    assert.equal(await page.getByText('piscina/dist/worker.js').count(), 0)
    await page.getByRole('button', { name: 'Show 2 library frames' }).click()
    await page.getByText('piscina/dist/worker.js').waitFor()
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByText('still open when its thread or process died: terminate').waitFor()
    await page.getByRole('link', { name: 'Open its trace' }).click()
    await page.getByRole('complementary', { name: 'Span details' }).waitFor()
    assert.match(page.url(), /span=000000000000000a/)
  })

  it('apply a search while it is typed, show it, and let go of it at once when it is cleared', async () => {
    const page = await on.open('#/transactions')
    const box = page.getByRole('searchbox')
    const asked = (search: string | null) =>
      page.waitForRequest((request) => {
        const { pathname, searchParams } = new URL(request.url())
        return pathname === '/api/transactions' && searchParams.get('search') === search
      })
    let request = asked('duration>5ms')
    await box.fill('duration>5ms')
    await request
    await page.getByRole('button', { name: 'Remove filter: duration>5ms' }).waitFor()
    request = asked(null)
    await box.press('Escape')
    await request
    assert.equal(await box.inputValue(), '')
    assert.equal(await page.locator('.chip').count(), 0)
    await box.fill('is:slow')
    await page.getByText('“is:slow” is not known').waitFor()
    assert.doesNotMatch(page.url(), /slow/)
  })

  it('chart metrics, with their figures in words', async () => {
    const page = await on.open('#/metrics')
    const heap = page.getByRole('article', { name: 'v8js.memory.heap.used' })
    await heap.locator('canvas').waitFor()
    await heap.getByText(/thread main: from .* MB to .* MB/).waitFor({ state: 'attached' })
    await page.getByRole('searchbox').fill('queue')
    await page.getByRole('article').nth(1).waitFor({ state: 'detached' })
    assert.equal(await page.getByRole('article').count(), 1)
  })

  it('open a file', async () => {
    const page = await on.open('#/traces')
    on.fixture.empty = true
    await page.reload()
    await page.locator('main input[type=file]').setInputFiles({
      name: 'traces.jsonl',
      mimeType: 'application/json',
      buffer: Buffer.from('{}\n'),
    })
    await page.getByText('traces.jsonl: 3 spans').waitFor()
    on.fixture.empty = false
  })
})
