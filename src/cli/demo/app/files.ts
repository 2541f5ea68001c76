import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const { resolve } = createRequire(import.meta.url)

/** The largest files in the folders of packages that this program uses: real work for the pool. */
export function largestFiles(count: number): string[] {
  const folders = ['fastify', 'piscina', 'node-sqlite3-wasm', '@opentelemetry/api'].map((name) =>
    dirname(resolve(name)),
  )
  const files: { path: string; size: number }[] = []
  for (const folder of new Set(folders)) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      // Nested packages would make this a search through half the disk.
      if (
        !entry.isFile() ||
        !entry.name.endsWith('s') ||
        entry.parentPath.includes('node_modules', folder.length)
      )
        continue
      const path = join(entry.parentPath, entry.name)
      files.push({ path, size: statSync(path).size })
    }
  }
  files.sort((a, b) => b.size - a.size)
  return files.slice(0, count).map(({ path }) => path)
}
