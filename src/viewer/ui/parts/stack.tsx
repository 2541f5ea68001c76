import { useState } from 'preact/hooks'
import type { ErrorDetail } from '../../api.js'
import { plural } from '../../model/format.js'

type Frames = ErrorDetail['occurrences'][number]['stack']

/** A stack: the application's own frames stand out, runs of library frames are folded until asked for. */
export function Stack({ frames }: { frames: Frames }) {
  const [all, setAll] = useState(false)
  const own = frames.filter(({ library }) => !library).length
  if (frames.length === 0) return <p class="muted">No stack was recorded.</p>
  const shown = all || own === 0 ? frames : frames.filter(({ library }) => !library)
  const folded = frames.length - shown.length
  return (
    <>
      <ol class="stack">
        {shown.map(({ text, file, line, library }, i) => (
          <li key={i} class={library ? 'library' : ''}>
            <code>{text || `${file}:${line}`}</code>
            {library && <span class="badge">library</span>}
          </li>
        ))}
      </ol>
      {(folded > 0 || all) && own > 0 && (
        <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Hide library frames' : `Show ${plural(folded, 'library frame')}`}
        </button>
      )}
    </>
  )
}
