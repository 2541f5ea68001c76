import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe, { type AxeResults } from 'axe-core'
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core'
import { dist } from '../support/dist.js'
import { type Fixture, serve } from './server.js'

/** The browser; CHROMIUM names another one. */
export const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** What it is started with. */
export const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Why the tests in a browser cannot run here, or false. In continuous integration a missing browser is no excuse: there
 * the tests run, and fail.
 */
export const noBrowser: string | false =
  existsSync(EXECUTABLE) || process.env['CI'] ? false : `There is no ${EXECUTABLE}: apt-get install chromium`

/** The page as it is built. */
export function builtPage(): string {
  const file = fileURLToPath(dist('viewer/index.html'))
  assert.ok(existsSync(file), `${file} is missing: node src/viewer/ui/build.mjs builds it`)
  return readFileSync(file, 'utf8')
}

/** A browser with a profile of its own, and a server with generated data. */
export interface Stage {
  readonly fixture: Fixture
  readonly context: BrowserContext
  /** Opens the page at a hash, and waits until it has drawn something. */
  open(hash: string): Promise<Page>
  /** What went wrong in any page so far: console errors, uncaught errors, requests to elsewhere. */
  readonly faults: string[]
  close(): Promise<void>
}

/** Starts a browser. */
export async function stage(colorScheme: 'light' | 'dark' = 'light'): Promise<Stage> {
  const fixture = await serve(builtPage())
  const profile = mkdtempSync(join(tmpdir(), 'threadspan-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    args: ARGS,
    colorScheme,
    viewport: { width: 1280, height: 800 },
  })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: fixture.url })
  const faults: string[] = []
  context.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${fixture.url}/`) && !url.startsWith('data:')) faults.push(`request to ${url}`)
  })
  const page = context.pages()[0] ?? (await context.newPage())
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.stack ?? error.message}`))
  return {
    fixture,
    context,
    faults,
    open: async (hash) => {
      // A document of its own each time, so that no test depends on the one before.
      await page.goto('about:blank')
      await page.goto(`${fixture.url}/${hash}`)
      await page.waitForSelector('main h1, main h2')
      return page
    },
    close: async () => {
      await context.close()
      await fixture.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

/** Fails when axe finds anything of moderate weight or more in the page. */
export async function accessible(page: Page, what: string): Promise<void> {
  // The page's policy allows no script but its own; the debugger's evaluation is not bound by it.
  await page.evaluate(axe.source)
  const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults
  const found = violations
    .filter(({ impact }) => impact !== 'minor')
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n  ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('\n  ')}`,
    )
  assert.deepEqual(found, [], what)
}

/** The text of an element as a screen reader gets it, white space collapsed. */
export async function words(locator: Locator): Promise<string> {
  return ((await locator.textContent()) ?? '').replace(/\s+/g, ' ').trim()
}
