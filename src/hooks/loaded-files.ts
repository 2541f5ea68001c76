import Module from 'node:module'

interface Loaded {
  readonly exports?: unknown
}

/** What the CommonJS files of this thread export whose absolute paths match. */
export function exportsOfLoaded(file: RegExp): unknown[] {
  const { _cache: files = {} } = Module as unknown as {
    readonly _cache?: Readonly<Record<string, Loaded | undefined>>
  }
  const found: unknown[] = []
  for (const path in files) if (file.test(path)) found.push(files[path]?.exports)
  return found
}
