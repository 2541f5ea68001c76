import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'

/** The page, one file with everything inside; built beside this module. */
const PAGE = new URL('./index.html', import.meta.url)

const MISSING = `<!doctype html><meta charset="utf-8"><title>threadspan</title>
<p>The viewer's page has not been built. Its data is at <a href="/api/status">/api/status</a>.</p>
`

let page: Promise<{ body: Buffer; policy: string }> | undefined

/**
 * Answers with the page. Its Content-Security-Policy names the hashes of the scripts and styles that are in the file, so
 * that nothing else runs, and allows connections to this server only: the page cannot send anything elsewhere.
 */
export async function answerPage(response: ServerResponse, head: boolean): Promise<void> {
  page ??= load()
  const { body, policy } = await page
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  })
  response.end(head ? undefined : body)
}

async function load(): Promise<{ body: Buffer; policy: string }> {
  const body = await readFile(PAGE).catch((error: NodeJS.ErrnoException) => {
    page = undefined
    if (error.code === 'ENOENT') return Buffer.from(MISSING)
    throw error
  })
  return { body, policy: policyFor(body.toString('utf8')) }
}

/** The policy for a page whose scripts and styles are all inline elements. */
export function policyFor(html: string): string {
  const scripts = hashes(html, /<script\b[^>]*>([\s\S]*?)<\/script\s*>/gi)
  const styles = hashes(html, /<style\b[^>]*>([\s\S]*?)<\/style\s*>/gi)
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    `style-src ${styles}`,
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function hashes(html: string, elements: RegExp): string {
  const found = [...html.matchAll(elements)].map(([, content]) => {
    // A parser of HTML sees line feeds only, and that is what is hashed.
    const text = content!.replace(/\r\n?/g, '\n')
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  })
  return found.length === 0 ? "'none'" : found.join(' ')
}
