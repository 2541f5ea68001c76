import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import type { ErrorGroup } from '../../src/viewer/api.js'
import { accessible, noBrowser, words } from './browser.js'
import { type RealStage, realStage, until } from './real-stage.js'
import { type Made, Sender, shop, spanOf, traceOf } from './shop.js'

const current = (page: Page) => page.locator('[role=row][aria-selected=true]')

describe('a trace on the real server', { skip: noBrowser }, () => {
  let on: RealStage
  let failed: ErrorGroup
  before(async () => {
    on = await realStage()
    await shop(new Sender(on.viewer.endpoint), 120)
    const groups = await on.api<ErrorGroup[]>('errors')
    failed = groups.find(({ type }) => type === 'PaymentDeclinedError')!
  })
  after(async () => {
    assert.deepEqual(on.faults, [])
    await on.close()
  })

  for (const [trace, tasks, workers] of [
    [700_001, 40, 4],
    [700_002, 400, 8],
  ] as const) {
    it(`shows every Worker in the first window of a request with ${tasks} tasks, in the order of their numbers`, async (t) => {
      const took: number[] = []
      for (let run = 0; run < 5; run++) {
        const page = await on.open(`trace/${traceOf(trace)}?view=lanes`)
        await page.locator('.lane-row').first().waitFor()
        const lanes = await page.locator('.lane-row').allTextContents()
        const shown = lanes.flatMap((text) => /piscina worker \((\d+)\)/.exec(text)?.[1] ?? []).map(Number)
        assert.deepEqual(
          shown,
          Array.from({ length: workers }, (_, i) => i + 1),
        )
        const board = (await page.locator('.board-scroll').boundingBox())!
        const last = (await page.locator('.lane-row').last().boundingBox())!
        assert.ok(last.y + last.height <= board.y + board.height, 'the last lane is below the window')
        took.push(
          (await page.evaluate(`performance.getEntriesByName('threadspan:shown')[0].startTime`)) as number,
        )
      }
      took.sort((a, b) => a - b)
      t.diagnostic(`${tasks} tasks: shown after ${Math.round(took[2]!)} ms from navigation, median of five`)
    })
  }

  it('opens what is folded on demand, and keeps the head of a process in view', async () => {
    const page = await on.open(`trace/${traceOf(700_002)}?view=lanes`)
    const main = page.locator('.lane-row', { hasText: 'main' })
    assert.equal(await main.getAttribute('aria-expanded'), 'false')
    await main.click()
    await until(
      () => main.getAttribute('aria-expanded'),
      (open) => open === 'true',
      'opened',
    )
    await page
      .locator('.board-scroll')
      .evaluate((box) => ((box as unknown as { scrollTop: number }).scrollTop = 900))
    const head = page.locator('.lane-process', { hasText: 'images' })
    const board = (await page.locator('.board-scroll').boundingBox())!
    await until(
      async () => (await head.boundingBox())?.y ?? -1,
      (y) => Math.abs(y - board.y) < 2,
      'the head',
    )
    // A span in a strip is marked there; the strip stays as it is.
    const again = await on.open(`trace/${traceOf(700_002)}?view=lanes`)
    await again.keyboard.press('Home')
    await again.keyboard.press('ArrowDown')
    assert.equal(await again.locator('.lane-row', { hasText: 'main' }).getAttribute('aria-expanded'), 'false')
  })

  it('names the service in rows, tooltips, details and the legend, and gives each a colour of its own', async () => {
    const page = await on.open(`trace/${traceOf(5)}`)
    const rows = await page.locator('.tree-row').allTextContents()
    assert.ok(
      rows.some((text) => /gateway GET/.test(text)) &&
        rows.some((text) => /(shop|payments) (GET|POST)/.test(text)),
    )
    assert.match(rows[2]!, /of (shop|payments)/)
    const box = (await page.locator('.board-view canvas').boundingBox())!
    await page.mouse.move(box.x + 60, box.y + 10)
    await page.locator('.tooltip', { hasText: 'gateway' }).waitFor()
    const legend = page.getByRole('group', { name: 'Colours by service' })
    const colours = await legend
      .locator('.swatch')
      .evaluateAll((all) =>
        all.map(
          (one) =>
            (
              globalThis as unknown as { getComputedStyle(of: unknown): { backgroundColor: string } }
            ).getComputedStyle(one).backgroundColor,
        ),
      )
    assert.equal(new Set(colours).size, 2)
    const made: Made[] = Array.from({ length: 24 }, (_, i) => ({
      trace: 940_001,
      id: 9_400_001 + i,
      ...(i > 0 && { parent: 9_400_001 }),
      service: `service-${i}`,
      name: 'step',
      at: i,
      lasts: i === 0 ? 40 : 3,
    }))
    await new Sender(on.viewer.endpoint).spans(made)
    const many = await on.open(`trace/${traceOf(940_001)}`)
    const stripes = await many
      .locator('.tree-row .stripe')
      .evaluateAll((all) =>
        all.map(
          (one) =>
            (
              globalThis as unknown as { getComputedStyle(of: unknown): { backgroundColor: string } }
            ).getComputedStyle(one).backgroundColor,
        ),
      )
    assert.ok(stripes.length >= 20)
    assert.equal(new Set(stripes).size, stripes.length)
  })

  it('acts on keys as soon as it is open, as the sheet of keys says', async () => {
    const page = await on.open(
      `trace/${failed === undefined ? '' : (await on.api<{ occurrences: { traceId: string }[] }>(`errors/${failed.fingerprint}`)).occurrences[0]!.traceId}`,
    )
    await page.locator('.tree-row').first().waitFor()
    assert.equal(await page.evaluate("document.activeElement?.getAttribute('role')"), 'treegrid')
    await page.keyboard.press('e')
    await page.keyboard.press('Enter')
    await page.getByRole('complementary', { name: 'Span details' }).waitFor()
    const before = await words(current(page))
    await page.keyboard.press('ArrowDown')
    assert.notEqual(await words(current(page)), before)
  })

  it('stays where Back leads, also right after a key in its search', async () => {
    const page = await on.open(`trace/${traceOf(5)}`)
    await page.locator('.tree-row').first().waitFor()
    await page.evaluate(`location.hash = '#/trace/${traceOf(5)}?view=lanes'`)
    await page.locator('.lane-row').first().waitFor()
    for (let turn = 0; turn < 5; turn++) {
      await page.getByRole('searchbox').fill(`x${turn}`)
      await page.goBack()
      await page.locator('.tree-row').first().waitFor()
      await page.waitForTimeout(300)
      assert.doesNotMatch(page.url(), /view=lanes|q=/)
      await page.goForward()
      await page.locator('.lane-row').first().waitFor()
    }
  })

  it('says what was asked and answered in two lines, and where to go when it is not there', async () => {
    const page = await on.open(`trace/${traceOf(7)}`)
    const head = page.locator('.trace-head')
    await head.getByText(/GET \/\w+.* · on gateway-1/).waitFor()
    await head.locator('.badge').first().waitFor()
    await head.locator('summary', { hasText: 'Save' }).click()
    for (const [name, ending] of [
      ['OTLP JSON', 'otlp.json'],
      ['pprof profile', 'pb.gz'],
    ]) {
      const started = page.waitForEvent('download')
      await head.getByRole('link', { name: name! }).click()
      assert.equal((await started).suggestedFilename().endsWith(ending!), true)
    }
    await accessible(page, 'with a menu open')
    await page.keyboard.press('Escape')
    await head.getByRole('link', { name: 'OTLP JSON' }).waitFor({ state: 'hidden' })
    const missing = await on.open(`trace/${'ab'.repeat(16)}`)
    await missing.getByRole('heading', { name: 'This trace is not here' }).waitFor()
    assert.ok((await missing.getByRole('alert').boundingBox())!.height < 80)
    await missing.getByRole('link', { name: 'Go to the traces' }).click()
    await missing.getByRole('heading', { name: 'Live traces' }).waitFor()
  })

  it('shows attributes as request, response and the rest, copies whole statements, and finds by a value', async () => {
    const page = await on.open(`trace/${traceOf(5)}?span=${spanOf(50)}`)
    const details = page.getByRole('complementary', { name: 'Span details' })
    await details.getByRole('heading', { name: 'Response' }).waitFor()
    const titles = await details.locator('summary h3').allTextContents()
    assert.deepEqual(titles.slice(0, 3), ['Request', 'Response', 'Client and server'])
    await page.goto(`${on.viewer.url}#/trace/${traceOf(5)}?span=${spanOf(53)}`)
    const sql = details.locator('.sql pre')
    await sql.waitFor()
    const copy = details.getByRole('button', { name: 'Copy db.query.text' })
    const [a, b] = [(await sql.boundingBox())!, (await copy.boundingBox())!]
    assert.ok(b.y + b.height <= a.y, 'the button covers the statement')
    await copy.click()
    assert.match(
      (await page.evaluate('navigator.clipboard.readText()')) as string,
      /^SELECT id, total FROM orders/,
    )
    await details.getByRole('button', { name: /^Find db\.system\.name=postgresql/ }).click()
    await page.getByText('1 found').waitFor()
  })

  it('leads from a failed span to all errors like it, with own and library frames, and back to a trace', async () => {
    const { occurrences } = await on.api<{ occurrences: { traceId: string; spanId: string }[] }>(
      `errors/${failed.fingerprint}`,
    )
    const { traceId, spanId } = occurrences[0]!
    const page = await on.open(`trace/${traceId}?span=${spanId}`)
    const details = page.getByRole('complementary', { name: 'Span details' })
    await details.getByText('at charge (/srv/payments/src/charge.js:41:11)').waitFor()
    await details.getByRole('button', { name: 'Show 2 library frames' }).waitFor()
    await details.getByRole('link', { name: 'All errors like this one' }).click()
    await page.getByRole('heading', { name: 'PaymentDeclinedError' }).waitFor()
    await page.getByRole('link', { name: 'Open its trace' }).click()
    await details.waitFor()
    assert.match(page.url(), new RegExp(spanId))
  })

  it('lays siblings that are alike together, and shows links from both ends', async () => {
    const page = await on.open(`trace/${traceOf(700_003)}`)
    const rows = page.locator('.tree-row')
    await rows.first().waitFor()
    assert.equal(await rows.count(), 2)
    assert.match(await words(rows.nth(1)), /SELECT customers.*×60/)
    await rows.nth(1).locator('.twisty').click()
    await until(
      () => page.getByRole('treegrid').getAttribute('aria-rowcount'),
      (many) => many === '62',
      'rows',
    )
    const target = await on.open(`trace/${traceOf(1)}?span=${spanOf(12)}`)
    await target.getByRole('complementary').getByRole('link', { name: 'monthly report of reports' }).click()
    await target.getByRole('heading', { name: 'monthly report' }).first().waitFor()
  })

  it('sums up its names, and draws them as a flame graph', async () => {
    const page = await on.open(`trace/${traceOf(700_001)}?view=statistics`)
    const table = page.getByRole('region', { name: 'Spans by name' })
    const row = await words(table.locator('tbody tr', { hasText: 'resize' }))
    assert.match(row, /^resizeimages40/)
    await page.getByRole('button', { name: 'Flame graph' }).click()
    await page.getByRole('button', { name: /^decode, images: 40 spans/ }).click()
    assert.equal(
      await page.getByRole('button', { name: /^decode, images/ }).getAttribute('aria-pressed'),
      'true',
    )
    await page.getByRole('button', { name: 'Statistics' }).click()
    await table.getByRole('button', { name: 'resize' }).click()
    await page.getByText('40 found').waitFor()
  })

  it('indents deep traces as far down as they go', async () => {
    const page = await on.open(`trace/${traceOf(700_004)}`)
    await page.locator('.board-scroll').focus()
    await page.keyboard.press('End')
    await page.getByText('level 399').waitFor()
    const lefts = await page
      .locator('.tree-row .tree-name')
      .evaluateAll((all) =>
        all.map(
          (one) =>
            (one as unknown as { getBoundingClientRect(): { left: number } }).getBoundingClientRect().left,
        ),
      )
    const rows = [...new Set(lefts.map(Math.round))]
    assert.ok(lefts.length > 15)
    assert.ok(rows.length >= lefts.length - 2, `${rows.length} places for ${lefts.length} levels`)
  })

  it('has room for its board at 200 % zoom and on a phone, with nothing cut', async () => {
    for (const [width, height] of [
      [720, 450],
      [390, 844],
    ] as const) {
      const page = await on.open(`trace/${traceOf(700_001)}?view=lanes`, { width, height })
      await page.locator('.lane-row').first().waitFor()
      const board = (await page.locator('.board-scroll').boundingBox())!
      assert.ok(board.height > 230, `the board has ${board.height} px at ${width}`)
      assert.ok((await page.locator('.overview').boundingBox())!.height > 40)
      const cut = await page.evaluate(`(() => {
        const screen = document.getElementById('screen')
        return getComputedStyle(screen).overflowY === 'hidden' && screen.scrollHeight > screen.clientHeight
      })()`)
      assert.equal(cut, false)
      const tab = (await page
        .getByRole('navigation', { name: 'Screens' })
        .getByRole('link', { name: 'Metrics' })
        .boundingBox())!
      assert.ok(tab.x >= 0 && tab.x + tab.width <= width)
      const head = (await page.locator('header.top').boundingBox())!
      assert.ok(head.height < height * 0.2)
      await accessible(page, `a trace at ${width}`)
    }
  })

  it('is legible under forced colours', async () => {
    const page = await on.open('transactions', { forced: true })
    const bars = page.locator('.histogram .bars i')
    await bars.first().waitFor()
    type Css = { getComputedStyle(of: unknown): Record<string, string> }
    const paint = (selector: string, property: string) =>
      page
        .locator(selector)
        .first()
        .evaluate(
          (one, name) => (globalThis as unknown as Css).getComputedStyle(one)[name as string]!,
          property,
        )
    assert.notEqual(
      await paint('.histogram .bars i', 'backgroundColor'),
      await paint('body', 'backgroundColor'),
    )
    assert.notEqual(
      await paint('.tabs a[aria-current]', 'outlineStyle'),
      await paint('.tabs a:not([aria-current])', 'outlineStyle'),
    )
    const trace = await on.open(`trace/${traceOf(5)}`, { forced: true })
    await trace.locator('.tree-row').first().waitFor()
    // The bar of the first span has another colour than the text in it.
    const differs =
      (await trace.evaluate(`new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
      const canvas = document.querySelector('.board-view canvas')
      const { data } = canvas.getContext('2d').getImageData(0, 10 * devicePixelRatio, canvas.width, 1)
      const seen = new Set()
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) seen.add(data.slice(i, i + 3).join())
      resolve(seen.size)
    })))`)) as number
    assert.ok(differs > 2)
  })

  it('tells what happened before its span with a minus', async () => {
    await new Sender(on.viewer.endpoint).spans([
      {
        trace: 950_001,
        id: 9_500_001,
        service: 'clock',
        name: 'late',
        at: 100,
        lasts: 10,
        events: [{ name: 'earlier', at: 95, attributes: {} }],
      },
    ])
    const page = await on.open(`trace/${traceOf(950_001)}?span=${spanOf(9_500_001)}`)
    await page.getByRole('complementary').getByText('−5.00 ms').waitFor()
  })
})
