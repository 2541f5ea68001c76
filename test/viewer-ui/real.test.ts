import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { chromium } from 'playwright-core'
import { startViewer } from '#dist/viewer/server.js'
import { ARGS, EXECUTABLE, noBrowser } from './browser.js'

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
    await page.keyboard.press('2')
    await page.getByRole('heading', { name: 'Latency distribution' }).waitFor()
    assert.deepEqual(faults, [])
  })
  it('shows script, markup and control characters of senders as text, wherever they stand', async () => {
    const evil =
      '<img src=x onerror="globalThis.hacked=1"><script>globalThis.hacked=1</script>\u0000\u202e\ud800'
    const data = request(`GET /${evil}`)
    const [group] = data.resourceSpans
    const [root, task] = group!.scopeSpans[0]!.spans as Record<string, unknown>[]
    const text = (key: string) => ({ key, value: { stringValue: evil } })
    const other = (id: unknown) => String(id).replace(/^./, 'a')
    for (const one of [root!, task!]) one['traceId'] = other(one['traceId'])
    const attributes = [text('exception.type'), text('exception.message'), text('exception.stacktrace')]
    const event = { name: 'exception', timeUnixNano: root!['startTimeUnixNano'], attributes }
    root!['attributes'] = [text('http.route'), text(evil), text('url.full'), text('thread.name')]
    root!['events'] = [event, { ...event, name: evil }]
    root!['status'] = { code: 2, message: evil }
    task!['links'] = [{ traceId: root!['traceId'], spanId: root!['spanId'], attributes: [text(evil)] }]
    Object.assign(group!.resource, {
      attributes: [text('service.name'), text(evil), text('process.pid'), text('host.name')],
    })
    const number = {
      dataPoints: [{ asDouble: 1, timeUnixNano: '1790000000000000000', attributes: [text(evil)] }],
    }
    const metric = { name: evil, unit: evil, description: evil, gauge: number }
    const record = {
      traceId: root!['traceId'],
      spanId: root!['spanId'],
      severityText: evil,
      body: { stringValue: evil },
      attributes: [text(evil)],
    }
    const { resource } = group!
    for (const [signal, body] of [
      ['traces', data],
      ['metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] }],
      ['logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] }],
    ] as const) {
      const headers = { 'content-type': 'application/json' }
      const sent = await fetch(`${viewer.endpoint}/v1/${signal}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      assert.equal(sent.status, 200)
    }
    const groups = (await (await fetch(`${viewer.url}api/errors`)).json()) as { fingerprint: string }[]
    const faults: string[] = []
    const page = await browser.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(String(error)))
    const place = `trace/${root!['traceId']}`
    for (const hash of [
      'services',
      'transactions',
      'logs',
      'traces',
      `${place}?span=${root!['spanId']}`,
      `${place}?view=lanes&span=${task!['spanId']}`,
      `${place}?view=statistics`,
      `${place}?view=flame`,
      `${place}?view=logs`,
      'errors',
      `errors/${groups[0]!.fingerprint}`,
      'metrics',
      `metrics/${encodeURIComponent(evil.replace(/.$/, '\ufffd'))}`,
      `compare/${root!['traceId']}/${TRACE}`,
      `traces?search=${encodeURIComponent('<script>globalThis.hacked=1</script>')}`,
    ]) {
      await page.goto('about:blank')
      await page.goto(`${viewer.url}#/${hash}`)
      await page.locator('main h1, main h2').first().waitFor()
      await page.waitForTimeout(200)
      assert.equal(await page.locator('main img, main script').count(), 0, hash)
      assert.equal(await page.evaluate('globalThis.hacked'), undefined, hash)
    }
    await page.goto(`${viewer.url}#/${place}?span=${root!['spanId']}`)
    const details = page.getByRole('complementary', { name: 'Span details' })
    await details.getByText('<script>globalThis.hacked=1</script>').first().waitFor()
    await page.close()
    assert.deepEqual(
      faults.filter((fault) => !fault.includes('404')),
      [],
    )
  })
})
