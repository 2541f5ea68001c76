import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { chromium } from 'playwright-core'
import { dist } from '../support/dist.js'
import { ARGS, EXECUTABLE, noBrowser } from './browser.js'

const { startViewer } = (await import(
  dist('viewer/server.js')
)) as typeof import('../../src/viewer/server.js')

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

/** One request with a task in a worker, as OTLP/HTTP JSON. */
function request(name: string) {
  const start = BigInt(Date.now()) * 1_000_000n
  const at = (milliseconds: number) => String(start + BigInt(milliseconds * 1_000_000))
  const attributes = (thread: number, label: string, more: object[] = []) => [
    { key: 'thread.id', value: { intValue: String(thread) } },
    { key: 'thread.name', value: { stringValue: label } },
    ...more,
  ]
  const wait = { key: 'threadspan.queue.wait', value: { doubleValue: 4 } }
  return {
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'shop' } },
            { key: 'process.pid', value: { intValue: '41' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'test' },
            spans: [
              {
                traceId: TRACE,
                spanId: '00f067aa0ba902b7',
                name,
                kind: 2,
                startTimeUnixNano: at(0),
                endTimeUnixNano: at(40),
                attributes: attributes(0, 'main'),
              },
              {
                traceId: TRACE,
                spanId: '00f067aa0ba902b8',
                parentSpanId: '00f067aa0ba902b7',
                name: 'resize',
                kind: 1,
                startTimeUnixNano: at(10),
                endTimeUnixNano: at(30),
                attributes: attributes(3, 'worker', [wait]),
              },
            ],
          },
        ],
      },
    ],
  }
}

describe('the page on the real server', { skip: noBrowser }, () => {
  let viewer: Awaited<ReturnType<typeof startViewer>>
  let browser: Awaited<ReturnType<typeof chromium.launch>>
  before(async () => {
    viewer = await startViewer({ port: 0 })
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS })
  })
  after(async () => {
    await browser?.close()
    await viewer?.close()
  })

  it('shows a trace as it arrives, in lanes with its wait, under the policy of the server', async () => {
    const faults: string[] = []
    const page = await browser.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(String(error)))
    await page.goto(`${viewer.url}#/traces`)
    await page.getByText('Waiting for traces').waitFor()
    const sent = await fetch(`${viewer.endpoint}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request('POST /orders')),
    })
    assert.equal(sent.status, 200)
    await page.getByRole('link', { name: 'POST /orders' }).click()
    await page.getByText('on 2 threads').waitFor()
    await page.keyboard.press('v')
    await page.getByRole('row', { name: /Waiting 1 task/ }).waitFor()
    await page.getByRole('button', { name: 'resize' }).click()
    const details = page.getByRole('complementary', { name: 'Span details' })
    await details.getByText('threadspan.queue.wait').waitFor()
    await page.keyboard.press('1')
    await page.getByRole('heading', { name: 'Latency distribution' }).waitFor()
    assert.deepEqual(faults, [])
  })
})
