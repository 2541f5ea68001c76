// A trace of 100,000 spans over 64 lanes on the viewer's page, from the real server: how long it takes to be shown, and how
// long frames take while it is scrolled and zoomed. CHROMIUM names another browser to take.
// Usage: node bench/viewer-page.js [spans]
import { availableParallelism, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const file = (name) => pathToFileURL(resolve(process.env.THREADSPAN_DIST ?? 'dist', name)).href
const { startViewer } = await import(file('viewer/server.js'))
const { encodeSpan } = await import(file('otlp/encode-span.js'))
const { concat, encodeResource, encodeScope, lengthDelimited } = await import(file('otlp/encode.js'))

const LANES = 64
const TASK = 10
const RUNS = 5
const total = Number(process.argv[2] ?? 100_000)
const traceId = '5b8efff798038103d269b633813fc60c'
const epoch = 1_790_000_000_000_000_000n
const id = (number) => (number + 1).toString(16).padStart(16, '0')

/** The root on the main thread, under it tasks of ten spans each, which 63 workers take in turn. */
function spanAt(i) {
  const task = Math.floor((i - 1) / TASK)
  const inTask = (i - 1) % TASK
  const worker = i === 0 ? 0 : 1 + (task % (LANES - 1))
  const turn = Math.floor(task / (LANES - 1))
  const start = i === 0 ? 0 : turn * 3_000_000 + (inTask === 0 ? 0 : (inTask - 1) * 250_000)
  const length =
    i === 0 ? Math.ceil(total / TASK / (LANES - 1)) * 3_000_000 : inTask === 0 ? 2_500_000 : 200_000
  return encodeSpan({
    traceId,
    spanId: id(i),
    parentSpanId: i === 0 ? '' : id(inTask === 0 ? 0 : i - inTask),
    traceState: '',
    flags: 0x101,
    name: i === 0 ? 'POST /import' : inTask === 0 ? 'run import' : `step ${inTask}`,
    kind: i === 0 ? 2 : 1,
    startTimeUnixNano: epoch + BigInt(start),
    endTimeUnixNano: epoch + BigInt(start + length),
    attributes: {
      'thread.id': worker,
      'thread.name': worker === 0 ? 'main' : `worker ${worker}`,
      ...(inTask === 0 && i > 0 && { 'threadspan.queue.wait': Math.min(turn * 3, 40) }),
    },
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: i % 5000 === 4999 ? 2 : 0, message: '' },
  })
}

/** Scrolls for 60 frames, zooms in and out for 60 more; returns how long each took, milliseconds. */
const FRAMES = `new Promise((resolve) => {
  const scroller = document.querySelector('.board-scroll')
  const { left, width, top } = scroller.getBoundingClientRect()
  const frames = []
  let last
  let turn = 0
  const step = (now) => {
    if (last !== undefined) frames.push(now - last)
    last = now
    if (++turn > 121) return resolve(frames)
    if (turn < 60) scroller.scrollTop += (scroller.scrollHeight / 60) * (turn % 2 === 0 ? 1 : 1.2)
    else scroller.dispatchEvent(new WheelEvent('wheel', {
      ctrlKey: true, cancelable: true, bubbles: true, deltaY: turn < 95 ? -30 : 30, clientX: left + width * 0.7, clientY: top + 50,
    }))
    requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
})`

const viewer = await startViewer({ port: 0 })
const resource = lengthDelimited(0x0a, encodeResource({ 'service.name': 'bench', 'process.pid': 4242 }))
const scope = lengthDelimited(0x0a, encodeScope('bench'))
for (let first = 0; first < total; first += 5000) {
  const spans = Array.from({ length: Math.min(5000, total - first) }, (_, i) =>
    lengthDelimited(0x12, spanAt(first + i)),
  )
  const body = lengthDelimited(0x0a, concat([resource, lengthDelimited(0x12, concat([scope, ...spans]))]))
  const headers = { 'content-type': 'application/x-protobuf' }
  const { status } = await fetch(`${viewer.endpoint}/v1/traces`, { method: 'POST', headers, body })
  if (status !== 200) throw new Error(`the viewer answers ${status}`)
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
const result = {
  node: process.version,
  processors: availableParallelism(),
  'load before': loadavg()[0].toFixed(1),
  spans: viewer.status().spans,
}
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
result.browser = browser.version()
const answers = []
for (let run = 0; run < RUNS; run++) {
  const start = performance.now()
  await (await fetch(`${viewer.url}api/trace/${traceId}`)).arrayBuffer()
  answers.push(performance.now() - start)
}
result['answer of the server, ms'] = Math.round(median(answers))
for (const view of ['waterfall', 'lanes']) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  const shown = []
  const longest = []
  const middle = []
  for (let run = 0; run < RUNS; run++) {
    await page.goto('about:blank')
    await page.goto(`${viewer.url}#/trace/${traceId}?view=${view}`)
    await page.locator('.board [role=row]').first().waitFor()
    await page.waitForTimeout(500)
    shown.push(await page.evaluate("performance.getEntriesByName('threadspan:shown')[0].startTime"))
    const frames = await page.evaluate(FRAMES)
    longest.push(Math.max(...frames))
    middle.push(median(frames))
  }
  await page.close()
  result[`${view}: shown after, ms, median of ${RUNS}`] = Math.round(median(shown))
  result[`${view}: frames, ms, median`] = Math.round(median(middle) * 10) / 10
  result[`${view}: longest frame of each run, ms`] = longest.map(Math.round)
}
await browser.close()
await viewer.close()
console.log(JSON.stringify(result, null, 2))
