import { useState } from 'preact/hooks'
import type { LogRow } from '../../api.js'
import { clock } from '../clock.js'
import { href } from '../route.js'
import { Attributes } from '../trace/attributes.js'

interface Props {
  readonly logs: readonly LogRow[]
  /** The time of a record, where it is not that of a clock. */
  readonly when?: (time: number) => string
  /** What to do with the span of a record, where that is not a link to its trace. */
  readonly onSpan?: (spanId: string) => void
}

/** Log records, one a line; a line opens to its attributes. */
export function Records({ logs, when = clock, onSpan }: Props) {
  return (
    <ol class="records">
      {logs.map((log, i) => (
        <Entry key={`${log.time} ${log.spanId} ${i}`} log={log} when={when} onSpan={onSpan} />
      ))}
    </ol>
  )
}

function Entry({
  log,
  when,
  onSpan,
}: {
  log: LogRow
  when: (time: number) => string
  onSpan: Props['onSpan']
}) {
  const [open, setOpen] = useState(false)
  const { time, severity, level, body, service, host, traceId, spanId, attributes } = log
  const tone = level >= 17 ? ' bad' : level >= 13 ? ' late' : ''
  return (
    <li>
      <div class="record">
        <button
          type="button"
          class="plain"
          aria-expanded={open}
          aria-label={`Attributes of: ${body.slice(0, 100)}`}
          onClick={() => setOpen(!open)}
        >
          {open ? '▾' : '▸'}
        </button>
        <span class="muted when">{when(time)}</span>
        <span class={`badge${tone}`}>{severity || '–'}</span>
        <code class={open ? 'whole' : ''}>{body.slice(0, 20_000)}</code>
        <span class="muted from" title={host}>
          {service}
        </span>
        {spanId !== '' && onSpan !== undefined && (
          <button type="button" class="link" onClick={() => onSpan(spanId)}>
            Span
          </button>
        )}
        {traceId !== '' && onSpan === undefined && (
          <a href={href(['trace', traceId], { span: spanId })}>
            Trace<span class="sr-only"> of: {body.slice(0, 60)}</span>
          </a>
        )}
      </div>
      {open && <Attributes of={attributes} />}
      {open && Object.keys(attributes).length === 0 && <p class="muted">It has no attributes.</p>}
    </li>
  )
}
