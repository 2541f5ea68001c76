import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { duration } from '#dist/viewer/model/format.js'
import type {
  Distribution,
  LogList,
  Series,
  ServiceMap,
  ServiceRow,
  TraceSummary,
  TransactionRow,
} from '../../src/viewer/api.js'
import { noBrowser, words } from './browser.js'
import { type RealStage, realStage, until } from './real-stage.js'
import { Sender, shop, spanOf, traceOf } from './shop.js'

const REQUESTS = 600

const table = (page: Page, name: string) => page.getByRole('region', { name, exact: true })
const firstCell = async (page: Page, name: string, column: number) =>
  words(table(page, name).locator('tbody tr').first().locator('td').nth(column))
const params = (page: Page) => new URLSearchParams(page.url().split('?')[1] ?? '')

describe('lists over data of a shop', { skip: noBrowser }, () => {
  let on: RealStage
  before(async () => {
    on = await realStage()
    await shop(new Sender(on.viewer.endpoint), REQUESTS)
  })
  after(async () => {
    assert.deepEqual(on.faults, [])
    await on.close()
  })

  it('begin with the services: rates, errors per minute, mean and percentiles, a page of them', async () => {
    const page = await on.open('')
    await table(page, 'Services').waitFor()
    const heads = await table(page, 'Services').locator('th').allTextContents()
    for (const head of ['Per minute', 'Errors/min', 'Mean', 'p50', 'p95', 'p99'])
      assert.ok(
        heads.some((text) => text.startsWith(head)),
        head,
      )
    assert.equal(await table(page, 'Services').locator('tbody tr').count(), 9)
    const top = (await table(page, 'Services').boundingBox())!.y
    assert.ok(top < 200, `the services are ${top} px down`)
    const sender = new Sender(on.viewer.endpoint)
    await sender.spans(
      Array.from({ length: 200 }, (_, i) => ({
        trace: 900_000 + i,
        id: 9_000_000 + i,
        service: `team-${i}-with-a-service-name-that-is-longer-than-any-column-of-a-table`,
        name: 'batch import of everything that was left over',
        at: i,
        lasts: 3,
      })),
    )
    await page.getByText(/Show more \(199 left\)/).waitFor()
    assert.equal(await table(page, 'Services').locator('tbody tr').count(), 10)
    const height = (await page.evaluate('document.getElementById("screen").scrollHeight')) as number
    assert.ok(height < 1200, `the page is ${height} px high`)
  })

  it('keep names, impact and start in view beside a long name of a service, on a desk and on a phone', async () => {
    const page = await on.open('transactions?search=left%20over')
    await table(page, 'Transactions').locator('tbody tr').first().waitFor()
    const name = table(page, 'Transactions').getByRole('link').first()
    assert.ok((await name.boundingBox())!.width > 180)
    const box = (await table(page, 'Transactions').getByText('Impact').boundingBox())!
    assert.ok(box.x + box.width < 1440)
    const phone = await on.open('errors', { width: 390, height: 844 })
    const error = (await table(phone, 'Error groups')
      .getByRole('link', { name: 'PaymentDeclinedError' })
      .boundingBox())!
    assert.ok(error.width > 140, `the name of an error has ${error.width} px`)
  })

  it('sort over all at the server, and bring more pages', async () => {
    const slowest = (await on.api<TraceSummary[]>('traces?sort=duration&limit=1'))[0]!
    assert.ok(slowest.duration > 5000)
    const page = await on.open('transactions?service=gateway')
    await table(page, 'Samples').getByRole('button', { name: 'Duration' }).click()
    await until(
      () => firstCell(page, 'Samples', 3),
      (text) => text === '5.70 s',
      'the slowest sample',
    )
    assert.equal(await table(page, 'Samples').locator('tbody tr').count(), 10)
    await page.getByRole('button', { name: `Show more (${REQUESTS - 10} left)` }).click()
    await until(
      () => table(page, 'Samples').locator('tbody tr').count(),
      (rows) => rows === 50,
      'rows',
    )
    const answer = await fetch(`${on.viewer.url}api/traces?limit=5&offset=3`)
    const all = Number(answer.headers.get('x-total-count'))
    assert.ok(all > REQUESTS)
    const [, , , fourth] = await on.api<TraceSummary[]>('traces?limit=8')
    assert.equal(((await answer.json()) as TraceSummary[])[0]!.traceId, fourth!.traceId)
    assert.equal((await fetch(`${on.viewer.url}api/traces?sort=beauty`)).status, 400)
  })

  it('tell calls from requests, count no second for a minute, and no time twice', async () => {
    const sender = new Sender(on.viewer.endpoint)
    const made = [1, 2, 3].flatMap((i) => [
      {
        trace: 910_000 + i,
        id: 9_100_000 + i * 10,
        service: 'robot',
        name: 'GET',
        kind: 3,
        at: i,
        lasts: 12,
        attributes: { 'url.full': `http://api.example/orders/${i}` },
      },
      {
        trace: 910_000 + i,
        id: 9_100_001 + i * 10,
        parent: 9_100_000 + i * 10,
        service: 'robot-api',
        name: 'GET',
        kind: 2,
        at: i + 1,
        lasts: 10,
        attributes: { 'url.path': `/orders/${i}` },
      },
    ])
    await sender.spans(made)
    const services = await on.api<ServiceRow[]>('services?search=service=robot')
    const robot = services.find(({ service }) => service === 'robot')!
    assert.deepEqual([robot.count, robot.calls], [0, 3])
    const rows = await on.api<TransactionRow[]>('transactions?service=robot-api')
    assert.deepEqual(
      rows.map(({ count, type, name }) => [count, type, name]),
      [[3, 'request', 'GET']],
    )
    const calls = await on.api<TransactionRow[]>('transactions?service=robot&type=call')
    assert.equal(calls[0]!.count, 3)
    // One request alone is one per minute, and of caller and callee each has what the other has not.
    const own = new Sender(on.viewer.endpoint)
    await own.spans([
      { trace: 920_001, id: 9_200_001, service: 'outer', name: 'outer', kind: 2, at: 0, lasts: 100 },
      {
        trace: 920_001,
        id: 9_200_002,
        parent: 9_200_001,
        service: 'inner',
        name: 'inner',
        kind: 2,
        at: 10,
        lasts: 80,
      },
    ])
    const pair = await on.api<TransactionRow[]>('transactions?search=name=inner')
    assert.deepEqual(
      pair.map(({ name, impact }) => [name, Math.round(impact * 100)]),
      [
        ['inner', 80],
        ['outer', 20],
      ],
    )
    const page = await on.open('transactions?service=robot-api')
    await table(page, 'Samples').getByText('/orders/2').waitFor()
  })

  it('keep the filters from screen to screen, and clear them at once', async () => {
    const page = await on.open('services')
    await page.getByRole('combobox', { name: 'Service' }).selectOption('payments')
    await page.getByRole('combobox', { name: 'Host' }).selectOption('payments-1')
    for (const [tab, heading] of [
      ['Errors', 'Errors'],
      ['Logs', 'Logs'],
      ['Metrics', 'Metrics'],
      ['Traces', 'Live traces'],
    ] as const) {
      await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: tab }).click()
      await page.getByRole('heading', { name: heading, exact: true }).waitFor()
      assert.deepEqual(
        [params(page).get('service'), params(page).get('host')],
        ['payments', 'payments-1'],
        tab,
      )
    }
    await page.getByRole('button', { name: 'Clear all' }).click()
    assert.equal(params(page).get('service'), null)
    await page.getByRole('combobox', { name: 'Environment' }).selectOption('staging')
    await until(
      () => on.api<ServiceRow[]>('services?environment=staging'),
      (rows) => rows.length > 0,
      'of an environment',
    )
    assert.equal(params(page).get('environment'), 'staging')
  })

  it('are as they were after Back: sorted, scrolled, filtered; and a trace leads to its neighbours in the list', async () => {
    const page = await on.open('transactions?service=gateway&status=5xx')
    await table(page, 'Samples').getByRole('button', { name: 'Duration' }).click()
    await until(
      async () => params(page).get('samples'),
      (sort) => sort === 'duration',
      'the address',
    )
    await table(page, 'Samples').locator('tbody tr').first().waitFor()
    await page.mouse.move(600, 700)
    await page.mouse.wheel(0, 260)
    const top = () => page.evaluate('document.getElementById("screen").scrollTop') as Promise<number>
    const scrolled = await until(top, (value) => value > 100, 'scrolled')
    await until(
      () => page.evaluate('history.state?.top') as Promise<number | undefined>,
      (value) => value === scrolled,
      'remembered',
    )
    await table(page, 'Samples').getByRole('link').nth(1).click()
    await page.getByText(/Sample 2 of/).waitFor()
    await page.getByRole('link', { name: 'Next', exact: true }).click()
    await page.getByText(/Sample 3 of/).waitFor()
    await page.keyboard.press(',')
    await page.getByText(/Sample 2 of/).waitFor()
    await page.getByRole('link', { name: 'Slowest', exact: true }).click()
    await page.getByText(/Sample 1 of/).waitFor()
    for (let i = 0; i < 4; i++) await page.goBack()
    await table(page, 'Samples').locator('th[aria-sort="descending"]', { hasText: 'Duration' }).waitFor()
    assert.deepEqual([params(page).get('status'), params(page).get('samples')], ['5xx', 'duration'])
    await until(top, (value) => Math.abs(value - scrolled) < 3, `scrolled to ${scrolled}`)
  })

  it('keep a question of structure through a trace, another screen, Back and Forward', async () => {
    const page = await on.open('traces')
    const question = '{ service=gateway } >> { db.system.name=postgresql }'
    const rows = table(page, 'Traces').locator('tbody tr')
    await rows.first().waitFor()
    const box = page.getByRole('searchbox', { name: 'Search' })
    await box.fill(`${question} >`)
    await page.getByText('a group in braces must follow').waitFor()
    assert.equal(params(page).get('search'), null)
    await box.fill(question)
    await until(
      async () => params(page).get('search'),
      (search) => search === question,
      'the address',
    )
    const answer = await fetch(`${on.viewer.url}api/traces?search=${encodeURIComponent(question)}`)
    const expected = Number(answer.headers.get('x-total-count'))
    assert.ok(expected > 0)
    await page.getByText(question, { exact: true }).waitFor()
    await rows.first().getByRole('link').first().click()
    await page.getByText(`of ${expected}`).first().waitFor()
    await page.goBack()
    await rows.first().waitFor()
    assert.equal(await box.inputValue(), question)
    await page.getByRole('link', { name: 'Transactions', exact: true }).click()
    await page.getByText(question, { exact: true }).waitFor()
    await page.goBack()
    await page.goForward()
    await page.getByRole('heading', { name: 'Transactions' }).first().waitFor()
    assert.equal(params(page).get('search'), question)
    await page.getByRole('button', { name: `Remove filter: ${question}` }).click()
    await until(
      () => box.inputValue(),
      (text) => text === '',
      'the box',
    )
  })

  it('say how far a search has got while it is under way, and show what it has found so far', async () => {
    const page = await on.open('traces')
    let turn = 0
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route(/api\/traces\?.*search=payments/, async (route) => {
      const response = await route.fetch()
      if (turn++ > 0) {
        await held
        return route.fulfill({ response })
      }
      const rows = ((await response.json()) as TraceSummary[]).slice(0, 2)
      return route.fulfill({ response, json: rows, headers: { 'x-searched': '0.4', 'x-total-count': '2' } })
    })
    await page.getByRole('searchbox', { name: 'Search' }).fill('payments')
    await page.getByText('Searched the newest 40 % so far').waitFor()
    assert.equal(await table(page, 'Traces').locator('tbody tr').count(), 2)
    release()
    await page.getByText(/^Searched/).waitFor({ state: 'detached' })
    await table(page, 'Traces').locator('tbody tr').nth(5).waitFor()
    assert.equal(turn, 2)
  })

  it('break down what the brush on latency selects', async () => {
    const { buckets } = await on.api<Distribution>('distribution?service=gateway')
    const { from, to, count } = buckets.at(-1)!
    const brushed = await on.api<Distribution>(`distribution?service=gateway&min=${from}&max=${to}`)
    assert.equal(
      brushed.statuses.reduce((sum, { count }) => sum + count, 0),
      count,
    )
    assert.equal(brushed.buckets.length, buckets.length)
    const page = await on.open(`transactions?service=gateway&min=${from}&max=${to}`)
    await until(
      () => firstCell(page, 'By status', 1),
      (text) => text === String(count),
      'the statuses of the selection',
    )
  })

  it('say what they do not understand, in the list and in a trace', async () => {
    const page = await on.open('transactions')
    await page.getByRole('searchbox').fill('is:slow')
    await page.getByText('“is:slow” is not known').waitFor()
    const one = await on.open(`trace/${traceOf(3)}`)
    const found = async (query: string) => {
      await one.getByRole('searchbox').fill(query)
      return until(
        () => words(one.locator('.toolbar [role=status]')),
        (text) => / found$|not known/.test(text),
        query,
      )
    }
    assert.match(await found('postgresql'), /^1 found/)
    assert.match(await found('db.system.name=postgresql duration>1ms'), /^1 found/)
    assert.match(await found('is:slow'), /not known/)
  })

  it('let go of a search with the x of its box, and show what is set', async () => {
    const page = await on.open('transactions')
    await page.getByRole('searchbox').fill('service=payments')
    await page.getByRole('button', { name: 'Remove filter: service=payments' }).waitFor()
    await page.getByRole('searchbox').fill('')
    await page.getByRole('button', { name: 'Remove filter: service=payments' }).waitFor({ state: 'detached' })
    assert.equal(params(page).get('search'), null)
  })

  it('draw charts that are read off by pointer and keys, keep their axis, and have a logarithmic one', async () => {
    const page = await on.open('transactions?service=gateway')
    const chart = page.getByRole('slider', { name: /^Latency/ })
    await chart.locator('canvas').waitFor()
    const box = (await chart.boundingBox())!
    await page.mouse.move(box.x + box.width / 2, box.y + 60)
    await chart.locator('.readout').getByText('p95').waitFor()
    assert.match(await words(chart.locator('.readout')), /\d\d:\d\d:\d\d.*p50.*ms/)
    await page.locator('.legend').getByRole('button', { name: /^p99/ }).click()
    assert.equal(
      await page.locator('.legend').getByRole('button', { name: /^p99/ }).getAttribute('aria-pressed'),
      'false',
    )
    await page.locator('figure', { has: chart }).getByRole('button', { name: 'Log' }).click()
    assert.equal(
      await page
        .locator('figure', { has: chart })
        .getByRole('button', { name: 'Log' })
        .getAttribute('aria-pressed'),
      'true',
    )
    // The legend says what all of it amounts to, not the last part of it.
    const statuses = page.getByRole('group', { name: /Lines of Transactions by status/ })
    const total = (await statuses.locator('b').allTextContents()).reduce(
      (sum, text) => sum + Number(text.replace(',', '')),
      0,
    )
    assert.equal(total, REQUESTS)
    const times = async (query: string) => (await on.api<{ times: number[] }>(`series?${query}`)).times
    assert.deepEqual(await times('service=gateway&status=500'), await times(''))
    const slider = page.getByRole('slider', { name: /^Transactions by status/ })
    await slider.focus()
    for (const key of ['Home', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key)
    assert.match((await slider.getAttribute('aria-valuetext'))!, /to \d\d:\d\d:\d\d: .*2xx \d+/)
    for (const key of ['Shift+ArrowRight', 'Shift+ArrowRight', 'Enter']) await page.keyboard.press(key)
    await until(
      async () => params(page).get('to'),
      (to) => to !== null,
      'a time that was selected by keys',
    )
    await page.getByRole('textbox', { name: 'From' }).waitFor()
  })

  it('never show what is not: no waiting before rows, no axes before values, no row without a word', async () => {
    const page = await on.open('traces')
    const seen = (await page.evaluate(`new Promise((resolve) => {
      const seen = new Set()
      const watch = new MutationObserver(() => {
        if (document.getElementById('screen')?.textContent.includes('Nothing has arrived yet')) seen.add('waiting')
        if (document.querySelector('tbody tr')) { watch.disconnect(); resolve([...seen]) }
      })
      watch.observe(document.body, { childList: true, subtree: true })
      location.hash = '#/errors'
      setTimeout(() => { location.hash = '#/traces' }, 300)
    })`)) as string[]
    assert.deepEqual(seen, [])
    await page.route('**/api/series**', () => undefined)
    await page.evaluate('location.hash = "#/transactions"')
    await page.getByText('Loading…').first().waitFor()
    assert.equal(await page.locator('.uplot').count(), 0)
  })

  it('chart metrics: every line within its card, all of them when enlarged, by service and time, in units for people', async () => {
    const page = await on.open('metrics')
    const card = page.getByRole('article', { name: 'v8js.memory.heap.space.used' })
    await card.locator('canvas').waitFor()
    const outer = (await card.boundingBox())!
    for (const line of await card.locator('.legend button').all()) {
      const box = (await line.boundingBox())!
      assert.ok(box.x + box.width <= outer.x + outer.width + 1)
    }
    await page
      .getByRole('article', { name: 'process.memory.virtual' })
      .getByText(/1\.\d\d TB/)
      .first()
      .waitFor()
    await card.getByRole('link', { name: /10 more lines/ }).click()
    await until(
      () => page.locator('.legend button').count(),
      (lines) => lines === 16,
      'lines',
    )
    await page.getByRole('combobox', { name: 'Service' }).selectOption('payments')
    await page.getByText('No metric matches').or(page.getByText('No metrics yet')).waitFor()
  })

  it('draw who calls whom, with databases and queues, and lead on from there', async () => {
    const sender = new Sender(on.viewer.endpoint)
    const queue = { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' }
    await sender.spans([
      { trace: 980_001, id: 9_800_001, service: 'sender', name: 'POST /', kind: 2, at: 0, lasts: 20 },
      {
        trace: 980_001,
        id: 9_800_002,
        parent: 9_800_001,
        service: 'sender',
        name: 'send orders',
        kind: 4,
        at: 1,
        lasts: 2,
        attributes: queue,
      },
      {
        trace: 980_001,
        id: 9_800_003,
        parent: 9_800_002,
        service: 'taker',
        name: 'process orders',
        kind: 5,
        at: 5,
        lasts: 9,
        failed: 'x',
        attributes: queue,
      },
      {
        trace: 980_001,
        id: 9_800_004,
        parent: 9_800_003,
        service: 'taker',
        name: 'SELECT',
        kind: 3,
        at: 6,
        lasts: 2,
        attributes: { 'db.system.name': 'mysql', 'db.namespace': 'shop' },
      },
    ])
    const map = await on.api<ServiceMap>('map?search=service=taker')
    assert.deepEqual(
      map.edges.map(({ from, to, count, errors, mean }) => [from, to, count, errors, mean]).sort(),
      [
        ['queue kafka orders', 'taker', 1, 1, 9],
        ['sender', 'queue kafka orders', 1, 0, 2],
        ['taker', 'database mysql shop', 1, 0, 2],
      ],
    )
    const page = await on.open('services')
    await page.getByRole('button', { name: 'Map' }).click()
    await page.getByRole('region', { name: 'Service map' }).getByText('mysql shop').first().waitFor()
    const connections = page.getByRole('region', { name: 'Connections' })
    assert.match(
      await words(connections.getByRole('row', { name: /gateway.*payments/ })),
      /^gatewaypayments\d+/,
    )
    await page.getByRole('region', { name: 'Service map' }).getByRole('link', { name: 'payments' }).click()
    await page.getByRole('heading', { name: 'payments' }).waitFor()
  })

  it('mark axes of time with all their digits, and a single point with its own time', async () => {
    const sender = new Sender(on.viewer.endpoint)
    await sender.gauge('short.times', '1', 1, 1, 25, 60)
    await sender.gauge('single.point', '1', 1, 1, 25, 1)
    const marks = async (name: string) => {
      const page = await on.open(`metrics/${name}`)
      await page.locator('.plot canvas').waitFor()
      const drawn = await until(
        () => page.evaluate('globalThis.drawn') as Promise<string[]>,
        (texts) => texts.some((text) => /^\d\d:\d\d/.test(text)),
        name,
      )
      return [...new Set(drawn.filter((text) => /^\d\d:\d\d|^\d\d? [A-Z]/.test(text)))]
    }
    const short = await marks('short.times')
    assert.ok(short.length >= 3)
    assert.equal(new Set(short.map((text) => text.length)).size, 1, short.join())
    for (const text of await marks('single.point')) assert.match(text, /^\d\d:\d\d/)
  })

  it('name an error by its URL where there is nothing else, and group it by its name', async () => {
    const sender = new Sender(on.viewer.endpoint)
    const failing = (i: number, path: string) => ({
      trace: 960_000 + i,
      id: 9_600_000 + i,
      service: 'plain',
      name: 'GET',
      kind: 2,
      at: i,
      lasts: 1,
      failed: '',
      attributes: { 'url.path': path, 'error.type': '404' },
    })
    await sender.spans([failing(1, '/a'), failing(2, '/b')])
    const groups = await on.api<{ type: string; message: string; count: number }[]>('errors?service=plain')
    assert.deepEqual(
      groups.map(({ type, message, count }) => [type, message, count]),
      [['HTTP 404', 'GET /a', 2]],
    )
  })

  it('tell the demo that comes with the package from libraries', async () => {
    const sender = new Sender(on.viewer.endpoint)
    const file = '/usr/lib/node_modules/threadspan/dist/cli/demo/app/service.js'
    await sender.spans([
      {
        trace: 970_001,
        id: 9_700_001,
        service: 'demo',
        name: 'demo',
        at: 0,
        lasts: 1,
        failed: 'x',
        events: [
          {
            name: 'exception',
            at: 0,
            attributes: {
              'exception.type': 'Error',
              'exception.stacktrace': `Error: x\n    at run (${file}:3:1)`,
            },
          },
        ],
      },
    ])
    const page = await on.open('errors?service=demo')
    await page.getByText('app/service.js:3').waitFor()
    await page.getByRole('link', { name: 'Error', exact: true }).click()
    await page.locator('.stack li:not(.library)', { hasText: 'service.js:3' }).waitFor()
  })

  it('open a file and save all when there is data already', async () => {
    const page = await on.open('services')
    await page.locator('summary', { hasText: 'File' }).click()
    const started = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Save all traces' }).click()
    assert.equal((await started).suggestedFilename(), 'traces.otlp.jsonl')
    const span = {
      traceId: traceOf(930_001),
      spanId: spanOf(9_300_001),
      name: 'from a file',
      startTimeUnixNano: '1790000000000000000',
      endTimeUnixNano: '1790000000001000000',
    }
    const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }, null, 2)
    await page
      .locator('.menu input[type=file]')
      .setInputFiles({ name: 'pretty.json', mimeType: 'application/json', buffer: Buffer.from(text) })
    await page.getByText('pretty.json: 1 span').waitFor()
  })

  it('show logs with and without a span, on a page of their own, in their trace, by one filter', async () => {
    const page = await on.open('logs')
    await page.getByText('listening on 8080').waitFor()
    await page.getByRole('searchbox').fill('level>=13 cache.name=products')
    await page.getByText('listening on 8080').waitFor({ state: 'detached' })
    await page.getByText('the cache is cold').waitFor()
    await page.getByRole('searchbox').fill('charge')
    await page.getByRole('link', { name: /^Trace of: charge failed/ }).click()
    await page.getByRole('complementary', { name: 'Span details' }).getByText('charge failed').waitFor()
    await page.getByRole('button', { name: 'Logs', exact: true }).click()
    await page.getByText('of the trace, of no span').waitFor()
    await page.getByRole('searchbox').fill('level>=17')
    await page.getByText('of the trace, of no span').waitFor({ state: 'detached' })
    await page.getByText('charge failed').first().waitFor()
  })

  it('show the marks of a time axis whole, however exact they are', async () => {
    const { logs } = await on.api<LogList>('logs?limit=1')
    const time = Math.floor(logs[0]!.time / 1000) * 1000
    for (const length of [1000, 1900, 2000, 4900, 9900, 59_000, 3_500_000]) {
      const page = await on.open(`logs?from=${time}&to=${time + length}`)
      await page.locator('.uplot canvas').waitFor()
      const drawn = await until(
        () => page.evaluate('globalThis.drawn') as Promise<string[]>,
        (all) => all.some((text) => /^\d\d:\d\d/.test(text)),
        'the marks of the axis',
      )
      assert.deepEqual(await page.evaluate('globalThis.cut'), [], drawn.join(', '))
    }
  })

  it('say in words what the figures of a legend are, each line its own', async () => {
    const page = await on.open('transactions?service=gateway')
    const legend = page.getByRole('group', { name: 'Lines of Latency' })
    await legend.waitFor()
    const series = await on.api<Series>('series?service=gateway')
    for (const line of ['mean', 'p50', 'p95', 'p99'] as const) {
      const most = Math.max(...series[line].map((value) => value ?? 0))
      const text = await words(legend.getByRole('button', { name: new RegExp(`^${line}`) }))
      assert.equal(text, `${line} up to ${duration(most)}`)
    }
  })

  it('compare with the same time before', async () => {
    const page = await on.open('transactions?service=gateway&last=600000')
    await page.getByText('the same time before').waitFor()
    await page.locator('.figures small').first().waitFor()
  })
})
