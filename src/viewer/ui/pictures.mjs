// Takes the pictures of README and docs from a running viewer, in both themes.
// Usage: node src/viewer/ui/pictures.mjs <viewer URL> [output folder, default docs/pictures]
// The viewer should hold what is to be shown: `threadspan demo` fills one. CHROMIUM names another browser to take.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
// The trace that shows most: many threads, then many spans, yet few enough to be read.
const readable = traces.filter(({ spans }) => spans <= 400)
const [best] = (readable.length > 0 ? readable : traces).sort(
  (a, b) => b.threads - a.threads || b.spans - a.spans,
)
const columns = await get(`/api/trace/${best.traceId}`)
// One near the top, so that the root is in the picture with it.
const waited = columns.wait.findIndex((wait) => wait > (best.duration ?? 0) / 5)
const span = columns.id[Math.max(0, waited)]
// A group with a stack has most to show.
const errors = await get('/api/errors')
const error = errors.find(({ culprit }) => culprit !== '') ?? errors[0]

const pictures = [
  ['transactions', '#/transactions'],
  ['waterfall', `#/trace/${best.traceId}?span=${span}`],
  ['lanes', `#/trace/${best.traceId}?view=lanes`],
  ...(error === undefined ? [] : [['error', `#/errors/${error.fingerprint}`]]),
]

// The browser is the encoder: as WebP a picture of text takes a fraction of what it takes as PNG.
const TO_WEBP = async (png) => {
  const image = new Image()
  image.src = `data:image/png;base64,${png}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.naturalWidth
  canvas.height = image.naturalHeight
  canvas.getContext('2d').drawImage(image, 0, 0)
  return canvas.toDataURL('image/webp', 0.9).split(',')[1]
}

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
    viewport: { width: 1120, height: 780 },
    deviceScaleFactor: 1.5,
    reducedMotion: 'reduce',
  })
  const page = context.pages()[0] ?? (await context.newPage())
  for (const [name, hash] of pictures) {
    await page.goto('about:blank')
    await page.goto(base + hash)
    await page.waitForSelector('main h1')
    // Charts are drawn when they come into view, and the page settles a moment after its data has come.
    await page.waitForTimeout(800)
    const png = await page.screenshot()
    const file = join(folder, `${name}-${colorScheme}.webp`)
    await page.goto('about:blank')
    const webp = Buffer.from(await page.evaluate(TO_WEBP, png.toString('base64')), 'base64')
    writeFileSync(file, webp)
    console.log(`${resolve(file)}: ${webp.length} bytes`)
  }
  await context.close()
  rmSync(profile, { recursive: true, force: true })
}
