import { chromium, type Page } from 'playwright-core'
import { startViewer } from '#dist/viewer/server.js'
import type { Viewer } from '../../src/viewer/server.js'
import { ARGS, EXECUTABLE } from './browser.js'

export const DESK = { width: 1440, height: 900 }

/** The real viewer and a browser. */
export interface RealStage {
  readonly viewer: Viewer
  /** A page at a hash, in a context of its own. */
  open(
    hash: string,
    options?: { width?: number; height?: number; forced?: boolean; dark?: boolean },
  ): Promise<Page>
  /** JSON of a path under `/api`. */
  api<T>(path: string): Promise<T>
  /** What went wrong in any page. */
  readonly faults: string[]
  close(): Promise<void>
}

/** Starts a viewer with nothing in it, and a browser. */
export async function realStage(): Promise<RealStage> {
  const viewer = await startViewer({ port: 0 })
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS })
  const faults: string[] = []
  return {
    viewer,
    faults,
    open: async (hash, { width = DESK.width, height = DESK.height, forced = false, dark = false } = {}) => {
      for (const context of browser.contexts()) await context.close()
      const context = await browser.newContext({
        viewport: { width, height },
        forcedColors: forced ? 'active' : 'none',
        colorScheme: dark ? 'dark' : 'light',
        permissions: ['clipboard-read', 'clipboard-write'],
        baseURL: viewer.url,
      })
      // What a canvas shows as text is nowhere else.
      await context.addInitScript(`{
        const { fillText } = CanvasRenderingContext2D.prototype
        globalThis.drawn = []
        globalThis.cut = []
        CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
          globalThis.drawn.push(String(text))
          const { a, b, e } = this.getTransform()
          const { actualBoundingBoxLeft: left, actualBoundingBoxRight: right } = this.measureText(text)
          if (b === 0 && (a * (x - left) + e < 0 || a * (x + right) + e > this.canvas.width))
            globalThis.cut.push(String(text))
          return fillText.call(this, text, x, ...rest)
        }
      }`)
      const page = await context.newPage()
      page.on('pageerror', (error) => faults.push(error.stack ?? error.message))
      await page.goto(`${viewer.url}#/${hash}`)
      await page.locator('main h1').first().waitFor()
      return page
    },
    api: async <T>(path: string) => (await (await fetch(`${viewer.url}api/${path}`)).json()) as T,
    close: async () => {
      await browser.close()
      await viewer.close()
    },
  }
}

/** Waits until something holds; says what was there where it never does. */
export async function until<T>(
  read: () => Promise<T>,
  holds: (value: T) => boolean,
  what: string,
): Promise<T> {
  let value = await read()
  for (let turn = 0; turn < 200; turn++) {
    if (holds(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
    value = await read()
  }
  throw new Error(`${what}: ${JSON.stringify(value)}`)
}
