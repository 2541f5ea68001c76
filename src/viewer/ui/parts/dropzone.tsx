import { useEffect, useState } from 'preact/hooks'
import type { ImportResult } from '../../api.js'
import { plural } from '../../model/format.js'
import { RequestError, request } from '../client.js'
import { revision } from '../live.js'
import { say } from '../toast.js'

/** Sends files of OTLP JSON to the viewer, and says what came of it. */
export async function importFiles(files: Iterable<File>): Promise<void> {
  for (const file of files) {
    try {
      const { spans, rejected, format } = await request<ImportResult>('/api/import', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: file,
      })
      const what = format === undefined ? '' : `: this is ${format}`
      const left = rejected > 0 ? `, ${plural(rejected, 'piece')} could not be read${what}` : ''
      say(`${file.name}: ${plural(spans, 'span')}${left}`)
    } catch (error) {
      say(`${file.name}: ${error instanceof RequestError ? error.message : String(error)}`)
    }
  }
  revision.value++
}

/** Takes files that are dropped anywhere on the page. */
export function Dropzone() {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const abort = new AbortController()
    const on = <K extends keyof WindowEventMap>(type: K, handler: (event: WindowEventMap[K]) => void) =>
      addEventListener(type, handler, { signal: abort.signal })
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(true)
    })
    on('dragleave', (event) => {
      if (event.relatedTarget === null) setOver(false)
    })
    on('drop', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setOver(false)
      void importFiles(event.dataTransfer.files)
    })
    return () => abort.abort()
  }, [])
  return over ? <div class="drop">Drop files of OTLP JSON to open them</div> : null
}

/** A button that opens files; the same as dropping them. */
export function OpenFile() {
  return (
    <label class="button">
      Open a file…
      <input
        type="file"
        class="sr-only"
        multiple
        accept=".json,.jsonl,.ndjson,.otlp,.gz,.zst"
        onChange={(event) => {
          const { files } = event.currentTarget
          if (files !== null) void importFiles(files)
        }}
      />
    </label>
  )
}
