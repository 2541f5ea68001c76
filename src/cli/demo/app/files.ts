import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The largest files of the package that this program is in: real work for the pool. */
export function largestFiles(count: number): string[] {
  const folder = fileURLToPath(new URL('../../..', import.meta.url))
  const files: { path: string; size: number }[] = []
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // Those of other packages could be any number.
    if (
      !entry.isFile() ||
      !entry.name.endsWith('js') ||
      entry.parentPath.includes('node_modules', folder.length)
    )
      continue
    const path = join(entry.parentPath, entry.name)
    files.push({ path, size: statSync(path).size })
  }
  files.sort((a, b) => b.size - a.size)
  return files.slice(0, count).map(({ path }) => path)
}
