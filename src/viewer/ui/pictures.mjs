// Takes the pictures of README and docs from a running viewer, in both themes.
// Usage: node src/viewer/ui/pictures.mjs <viewer URL> [output folder, default docs/pictures]
// The viewer should hold what is to be shown: `threadspan demo` fills one. CHROMIUM names another browser to take.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'

const [url, folder = 'docs/pictures'] = process.argv.slice(2)
if (url === undefined) {
  console.error('Usage: node src/viewer/ui/pictures.mjs <viewer URL> [output folder]')
  process.exit(1)
}
const base = new URL('/', url).href
const get = async (path) => {
  const response = await fetch(new URL(path, base))
  if (!response.ok) throw new Error(`${path} answers ${response.status}`)
  return response.json()
}

const traces = await get('/api/traces?limit=500')
if (traces.length === 0) throw new Error(`${base} holds no trace to take pictures of.`)
const errors = await get('/api/errors')
// The trace that shows most: many threads, then many spans, yet few enough to be read.
const readable = traces.filter(({ spans }) => spans <= 400)
const [best, second] = (readable.length > 0 ? readable : traces).sort(
  (a, b) => b.threads - a.threads || b.spans - a.spans,
)
const columns = await get(`/api/trace/${best.traceId}`)
const waited = columns.wait.indexOf(Math.max(...columns.wait))
const span = columns.id[Math.max(0, waited)]

const pictures = [
  ['transactions', '#/transactions'],
  ['traces', '#/traces'],
  ['waterfall', `#/trace/${best.traceId}?span=${span}`],
  ['lanes', `#/trace/${best.traceId}?view=lanes`],
  ['metrics', '#/metrics'],
  ...(errors.length > 0 ? [['error', `#/errors/${errors[0].fingerprint}`]] : []),
  ...(second === undefined ? [] : [['compare', `#/compare/${best.traceId}/${second.traceId}`]]),
]

mkdirSync(folder, { recursive: true })
for (const colorScheme of ['light', 'dark']) {
  const profile = mkdtempSync(join(tmpdir(), 'threadspan-pictures-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    colorScheme,
    viewport: { width: 1280, height: 760 },
    deviceScaleFactor: 2,
    reducedMotion: 'reduce',
  })
  const page = context.pages()[0] ?? (await context.newPage())
  for (const [name, hash] of pictures) {
    await page.goto('about:blank')
    await page.goto(base + hash)
    await page.waitForSelector('main h1')
    // Charts are drawn when they come into view, and the page settles a moment after its data has come.
    await page.waitForTimeout(800)
    const file = join(folder, `${name}-${colorScheme}.png`)
    await page.screenshot({ path: file })
    console.log(resolve(file))
  }
  await context.close()
  rmSync(profile, { recursive: true, force: true })
}
