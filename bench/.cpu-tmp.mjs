// A trace of 100,000 spans over 64 lanes on the viewer's page, from the real server: how long it takes to be shown, and how
// long frames take while it is scrolled and zoomed. CHROMIUM names another browser to take.
// Usage: node bench/viewer-page.js [spans]
import { availableParallelism, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'

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

const browser = await globalThis.chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless','--no-sandbox','--disable-gpu'] })
const out = {}
for (const view of ['', '?view=lanes']) {
  const open = [], frames = []
  for (let run = 0; run < 3; run++) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Performance.enable')
    const task = async () => (await cdp.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value
    await page.goto(viewer.url + '#/trace/' + traceId + view)
    while (!(await page.evaluate("performance.getEntriesByName('threadspan:shown').length > 0"))) await page.waitForTimeout(50)
    await page.waitForTimeout(300)
    open.push(await task())
    const before = await task()
    const f = await page.evaluate(FRAMES)
    frames.push((await task()) - before)
    await page.close()
  }
  out[view || 'waterfall'] = { open: open.sort().map((x) => x.toFixed(2)), perFrame: frames.map((x) => (x / 120 * 1000).toFixed(1)) }
}
console.log(distDir, JSON.stringify(out))
await browser.close(); await viewer.close()
