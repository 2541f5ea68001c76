import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { MetricSeries, ProcessRow, SpanDetail, TransactionRow } from '../../src/viewer/api.js'
import { noBrowser, words } from './browser.js'
import { type RealStage, realStage } from './real-stage.js'
import { Sender, spanOf, traceOf } from './shop.js'

const TASK = { trace: 1, id: 11 }
const AT = 30_000

describe('processes and threads', { skip: noBrowser }, () => {
  let on: RealStage
  before(async () => {
    on = await realStage()
    const sender = new Sender(on.viewer.endpoint)
    const request = { service: 'shop', name: 'GET /orders', kind: 2, pid: 71 }
    await sender.spans([
      { ...request, trace: 1, id: 10, at: AT, lasts: 900 },
      {
        ...TASK,
        service: 'shop',
        pid: 71,
        parent: 10,
        name: 'run resize',
        at: AT + 100,
        lasts: 700,
        thread: 3,
        threadName: 'piscina worker 3',
      },
      { ...request, trace: 2, id: 20, at: AT + 2000, lasts: 40, pid: 72 },
    ])
    await sender.process(71, 0)
    await sender.process(72, 0)
  })
  after(async () => {
    assert.deepEqual(on.faults, [])
    await on.close()
  })

  it('are listed with what they are, their threads, rates and latencies, by service', async () => {
    const page = await on.open('services')
    await page.getByRole('link', { name: '2 processes of shop' }).click()
    const row = page.getByRole('region', { name: 'Processes' }).getByRole('row', { name: /shop 71/ })
    assert.match(await words(row), /shop 71\W*shop-1\W*nodejs\W*2\W*1\W*1.*900 ms/)
    await row.getByRole('link').click()
    await page.getByRole('heading', { name: 'shop 71' }).waitFor()
    await page.getByText('on shop-1').waitFor()
  })

  it('have a page each: metrics of the process, then those of one thread alone', async () => {
    const page = await on.open('processes/71@shop-1')
    const loop = page.getByRole('article', { name: 'nodejs.eventloop.utilization' })
    await loop.locator('canvas').waitFor()
    const sections = await page.locator('section > h2').allTextContents()
    assert.deepEqual(sections, ['Processor and memory', 'Event loop'])
    assert.equal(await loop.locator('.legend button').count(), 2)
    await page.getByRole('button', { name: 'piscina worker 3', exact: true }).click()
    await page.getByRole('article', { name: 'process.memory.usage' }).waitFor({ state: 'detached' })
    await loop.locator('canvas').waitFor()
    assert.match(await words(loop.locator('.legend')), /^thread\.id=3, thread\.name=piscina worker 3\W*\d+/)
    assert.ok(page.url().endsWith('?thread=3'))
    await page.getByRole('button', { name: 'The process' }).click()
    await page.getByRole('article', { name: 'process.memory.usage' }).waitFor()
  })

  it('are reached from a span: the metrics of its thread at that time, with the span marked', async () => {
    const page = await on.open(`trace/${traceOf(TASK.trace)}?span=${spanOf(TASK.id)}`)
    await page.getByRole('link', { name: 'Metrics of its process then' }).waitFor()
    await page.getByRole('link', { name: 'Metrics of its thread then' }).click()
    await page.getByText('Marked: the span from').waitFor()
    const loop = page.getByRole('article', { name: 'nodejs.eventloop.utilization' })
    await loop.locator('canvas').waitFor()
    assert.equal(
      await page.getByRole('button', { name: 'piscina worker 3', exact: true }).getAttribute('aria-pressed'),
      'true',
    )
    // The mark is drawn where the span was: from a minute before it to a minute after it, so in the middle.
    const marked = (await page.evaluate(`(() => {
      const canvas = document.querySelector('article canvas')
      const { width, height } = canvas
      const row = canvas.getContext('2d').getImageData(0, Math.floor(height / 2) + 7, width, 1).data
      const at = []
      for (let x = 0; x < width; x++) if (row[x * 4 + 3] > 40 && row[x * 4 + 3] < 90) at.push(x / width)
      return at
    })()`)) as number[]
    assert.ok(marked.length >= 3 && marked.every((x) => x > 0.4 && x < 0.65), JSON.stringify(marked))
  })

  it('filter the lists, by a chip that is taken off again', async () => {
    const page = await on.open('processes/71@shop-1')
    await page.getByRole('link', { name: 'Its transactions' }).click()
    await page.getByText('Process 71@shop-1').waitFor()
    const samples = page.getByRole('region', { name: 'Samples' }).locator('tbody tr')
    await samples.first().waitFor()
    assert.equal(await samples.count(), 1)
    await page.getByRole('button', { name: 'Remove filter: Process 71@shop-1' }).click()
    await samples.nth(1).waitFor()
  })

  it('answer over the API, also where nothing is known of them', async () => {
    const [first, second, ...others] = await on.api<ProcessRow[]>('processes?sort=pid&order=asc')
    assert.deepEqual([first!.process, second!.process, others], ['71@shop-1', '72@shop-0', []])
    assert.deepEqual(first!.threads, [
      { id: '0', name: 'main' },
      { id: '3', name: 'piscina worker 3' },
    ])
    assert.deepEqual([first!.metrics, first!.count, first!.version], [3, 1, '1.4.2'])
    const rows = await on.api<TransactionRow[]>('transactions?process=72@shop-0')
    assert.deepEqual([rows.length, rows[0]!.count], [1, 1])
    const { lines, shared } = await on.api<MetricSeries>('metrics/nodejs.eventloop.utilization?thread=3')
    assert.equal(shared, 'thread.id=3, thread.name=piscina worker 3')
    assert.equal(lines.length, 2)
    const detail = await on.api<SpanDetail>(`trace/${traceOf(1)}/span/${spanOf(11)}`)
    assert.equal(detail.process, '71@shop-1')
    for (const path of ['processes/nobody', 'processes/%E0%A4%A', 'processes?sort=beauty'])
      assert.notEqual((await fetch(`${on.viewer.url}api/${path}`)).status, 200, path)
    assert.deepEqual(await on.api<ProcessRow[]>('processes?process=nobody'), [])
  })
})
