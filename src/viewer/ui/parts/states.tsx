import type { ComponentChildren } from 'preact'
import type { RequestError } from '../client.js'
import { status } from '../live.js'
import { copy } from '../toast.js'
import { OpenFile } from './dropzone.js'

/** What a screen says while there is nothing to show; `alone` where it has no other heading. */
export function Empty(props: { title: string; alone?: boolean; children: ComponentChildren }) {
  const { title, alone = false, children } = props
  return (
    <section class="empty">
      {alone ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </section>
  )
}

/** What to do to see something: shown until the first span arrives. */
export function Waiting({ what }: { what: string }) {
  const variable = `OTEL_EXPORTER_OTLP_ENDPOINT=${status.value?.endpoint ?? 'http://127.0.0.1:4318'}`
  return (
    <Empty title={`Waiting for ${what}`}>
      <p>Nothing has arrived yet. Any of these fills this page:</p>
      <ol>
        <li>
          Run a Node.js program with nothing changed in it:
          <Command text={`${variable} node --require threadspan/register app.js`} />
        </li>
        <li>
          Let any OpenTelemetry SDK export here, over HTTP:
          <Command text={`export ${variable} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`} />
        </li>
        <li>
          Open a file of OTLP JSON lines, as threadspan and the OpenTelemetry Collector write them, or drop it
          here.
          <div class="row">
            <OpenFile />
          </div>
        </li>
      </ol>
    </Empty>
  )
}

function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" class="plain" onClick={() => void copy(text, 'Command')}>
        Copy
      </button>
    </div>
  )
}

/** A failed request in words. */
export function Failed({ error }: { error: RequestError }) {
  return (
    <p class="notice bad" role="alert">
      {error.message} <code>{error.code}</code>
    </p>
  )
}

/** Shown while the first answer is under way. */
export function Loading() {
  return (
    <p class="loading" role="status">
      Loading…
    </p>
  )
}
