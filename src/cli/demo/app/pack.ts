import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import { basename } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

/** What the pool is asked to do. */
export interface PackTask {
  readonly file: string
  /** Where to announce the result. */
  readonly upstream: string
}

/** What came of it. */
export interface Packed {
  readonly file: string
  readonly sha256: string
  /** Bytes. */
  readonly size: number
  /** Bytes after compression. */
  readonly compressed: number
}

/** Runs in a worker thread: reads a file, hashes and compresses it, and announces it by an HTTP call of its own. */
export default async function pack({ file, upstream }: PackTask): Promise<Packed> {
  const content = await readFile(file)
  const sha256 = createHash('sha256').update(content).digest('hex')
  const compressed = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length
  await announce(`${upstream}/packages/${sha256.slice(0, 8)}`)
  return { file: basename(file), sha256, size: content.length, compressed }
}

function announce(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'PUT', agent: false }, (response) => {
      response.resume().on('end', resolve).on('error', reject)
    })
    request.on('error', reject)
    request.end()
  })
}
