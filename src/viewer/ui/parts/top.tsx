import { bytes, count, plural } from '../../model/format.js'
import { filtersOf } from '../client.js'
import { connected, missed, paused, setPaused, status } from '../live.js'
import { href, route } from '../route.js'
import { nextTheme, theme } from '../theme.js'
import { OpenFile } from './dropzone.js'
import { openHelp } from './help.js'
import { Menu } from './menu.js'

const THEME_NAMES = { auto: 'as the system', light: 'light', dark: 'dark' } as const

/** The header: where one can go, what is being received, and the settings. */
export function Top({ tabs, current }: { tabs: readonly (readonly [string, string])[]; current: string }) {
  const owner = { trace: 'traces', compare: 'traces', processes: 'services' }[current] ?? current
  const filters = filtersOf(route.value.params)
  return (
    <header class="top">
      <button type="button" class="skip" onClick={() => document.getElementById('screen')?.focus()}>
        Skip to content
      </button>
      <a class="brand" href={href(['services'])} aria-label="threadspan">
        <Mark />
        <span>threadspan</span>
      </a>
      <nav class="tabs" aria-label="Screens">
        {tabs.map(([name, label]) => (
          <a key={name} href={href([name], filters)} aria-current={name === owner ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <div class="spacer" />
      <Receiving />
      <button
        type="button"
        aria-pressed={paused.value}
        onClick={() => setPaused(!paused.value)}
        title="Stop or resume what changes by itself (p)"
      >
        {paused.value ? `Resume${missed.value > 0 ? ` (${count(missed.value)} new)` : ''}` : 'Pause'}
      </button>
      <FileMenu />
      <button
        type="button"
        class="plain"
        onClick={openHelp}
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
      >
        ?
      </button>
    </header>
  )
}

/** What is done to all data, and the theme. */
function FileMenu() {
  const now = status.value
  const lost = Object.entries(now?.dropped ?? {}).filter(([, many]) => many > 0)
  return (
    <Menu label="File">
      <OpenFile />
      <a class="button" href="/api/export" download="traces.otlp.jsonl">
        Save all traces
      </a>
      <button type="button" onClick={nextTheme} title="Change the theme (t)">
        Theme: {THEME_NAMES[theme.value]}
      </button>
      {now !== null && (
        <p class="muted">
          {plural(now.spans, 'span')} in {plural(now.traces, 'trace')}, {bytes(now.bytes)} of{' '}
          {bytes(now.maxBytes)}
          {lost.map(([cause, many]) => (
            <span key={cause}>
              <br />
              {cause}: {count(many)} not kept
            </span>
          ))}
        </p>
      )}
    </Menu>
  )
}

function Receiving() {
  const now = status.value
  const on = connected.value && !paused.value
  const lost = Object.entries(now?.dropped ?? {}).filter(([, many]) => many > 0)
  const words = !connected.value ? 'Not connected' : paused.value ? 'Paused' : 'Live'
  return (
    <div class="top-status">
      <span class={`live-dot${on ? ' on' : ''}`} aria-hidden="true" />
      <span>{words}</span>
      {now !== null && (
        <span class="wide">
          {plural(now.spans, 'span')} in {plural(now.traces, 'trace')}, {bytes(now.bytes)}
        </span>
      )}
      {lost.length > 0 && (
        <span class="badge late" title={lost.map(([cause, many]) => `${cause}: ${count(many)}`).join('\n')}>
          {count(lost.reduce((sum, [, many]) => sum + many, 0))} not kept
        </span>
      )}
    </div>
  )
}

function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 16 16" aria-hidden="true">
      <rect width="16" height="16" rx="3.5" fill="var(--accent)" />
      <path
        d="M3 4.5h10M5.5 8H11M4 11.5h5"
        stroke="var(--on-accent)"
        stroke-width="2"
        stroke-linecap="round"
      />
    </svg>
  )
}
