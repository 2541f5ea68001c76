import { useEffect, useRef, useState } from 'preact/hooks'
import type { Facets } from '../../api.js'
import { duration, percent } from '../../model/format.js'
import { parseQuery } from '../../query.js'
import { FILTERS, searched, useData } from '../client.js'
import { clock } from '../clock.js'
import { route, setParams } from '../route.js'

const SHOWN: Readonly<Record<string, (value: string) => string>> = {
  transaction: (value) => value,
  process: (value) => `Process ${value.length > 20 ? `${value.slice(0, 8)}…` : value}`,
  type: (value) => TYPES[value] ?? value,
  min: (value) => `At least ${duration(Number(value))}`,
  max: (value) => `At most ${duration(Number(value))}`,
  search: (value) => value,
}

const TYPES: Readonly<Record<string, string>> = {
  request: 'Requests',
  message: 'Messages',
  task: 'Tasks',
  call: 'Calls',
}

const PRESETS: readonly (readonly [string, string])[] = [
  ['300000', 'Last 5 minutes'],
  ['900000', 'Last 15 minutes'],
  ['3600000', 'Last hour'],
  ['21600000', 'Last 6 hours'],
  ['86400000', 'Last day'],
]

/** Milliseconds without a key before a search is applied. */
const PAUSE = 300

/** Which filters a screen can do something with; the others stay as they are, for the screens that can. */
export type Kind = 'transactions' | 'traces' | 'logs' | 'metrics' | 'process'

/** The one filter of all lists; it lives in the address, and goes along from screen to screen. */
export function Filters({
  kind = 'transactions',
  placeholder = 'Search',
}: {
  kind?: Kind
  placeholder?: string | null
}) {
  const { params } = route.value
  const { data: facets } = useData<Facets>('/api/facets', true)
  const chips = FILTERS.filter((name) => SHOWN[name] !== undefined && (params[name] ?? '') !== '')
  const set = FILTERS.some((name) => (params[name] ?? '') !== '')
  return (
    <search class="filters" aria-label="Filters">
      {placeholder !== null && <Search value={params['search'] ?? ''} placeholder={placeholder} />}
      <Time params={params} />
      {kind !== 'process' && (
        <Choice
          name="service"
          all="All services"
          values={facets?.services}
          also={{ transaction: undefined }}
        />
      )}
      {kind !== 'process' &&
        ((facets?.environments.length ?? 0) > 0 || params['environment'] !== undefined) && (
          <Choice name="environment" all="All environments" values={facets?.environments} />
        )}
      {kind !== 'process' && ((facets?.hosts.length ?? 0) > 0 || params['host'] !== undefined) && (
        <Choice name="host" all="All hosts" values={facets?.hosts} />
      )}
      {kind !== 'metrics' && kind !== 'process' && (
        <Choice
          name="status"
          all="Any status"
          values={['ok', 'error', '2xx', '3xx', '4xx', '5xx', ...(facets?.statuses ?? [])]}
        />
      )}
      {(kind === 'transactions' || kind === 'traces') && (
        <select
          aria-label="Type"
          title="What the service was asked, took from a queue, did by itself; or calls with which a trace begins"
          value={params['type'] ?? ''}
          onChange={(event) => setParams({ type: event.currentTarget.value })}
        >
          <option value="">{kind === 'traces' ? 'All types' : 'All but calls'}</option>
          {Object.entries(TYPES).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
      {chips.map((name) => (
        <span class="chip" key={name}>
          <span>{SHOWN[name]!(params[name]!)}</span>
          <button
            type="button"
            title={params[name]}
            aria-label={`Remove filter: ${SHOWN[name]!(params[name]!)}`}
            onClick={() => setParams({ [name]: undefined })}
          >
            ×
          </button>
        </span>
      ))}
      {searched.value < 1 && (
        <span class="muted" role="status">
          Searched the newest {percent(searched.value)} so far
        </span>
      )}
      {set && (
        <button
          type="button"
          class="plain"
          onClick={() => setParams(Object.fromEntries(FILTERS.map((name) => [name, undefined])))}
        >
          Clear all
        </button>
      )}
    </search>
  )
}

interface ChoiceProps {
  readonly name: string
  readonly all: string
  readonly values: readonly string[] | undefined
  /** What else changes with it. */
  readonly also?: Readonly<Record<string, undefined>>
}

function Choice({ name, all, values = [], also }: ChoiceProps) {
  const value = route.value.params[name] ?? ''
  return (
    <select
      aria-label={name[0]!.toUpperCase() + name.slice(1)}
      class={value === '' ? '' : 'set'}
      value={value}
      onChange={(event) => setParams({ ...also, [name]: event.currentTarget.value })}
    >
      <option value="">{all}</option>
      {(value === '' || values.includes(value) ? values : [value, ...values]).map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  )
}

function Time({ params }: { params: Readonly<Record<string, string>> }) {
  const { from, to, last } = params
  const exact = from !== undefined || to !== undefined
  const [typed, setTyped] = useState(false)
  const shown = typed || exact
  const set = (name: 'from' | 'to') => (event: Event) => {
    const time = new Date((event.currentTarget as HTMLInputElement).value).getTime()
    setParams({ [name]: Number.isFinite(time) ? time : undefined, last: undefined })
  }
  return (
    <>
      <select
        aria-label="Time"
        class={exact || last !== undefined ? 'set' : ''}
        value={shown ? 'exact' : (last ?? '')}
        onChange={(event) => {
          const { value } = event.currentTarget
          setTyped(value === 'exact')
          if (value !== 'exact') setParams({ from: undefined, to: undefined, last: value })
        }}
      >
        <option value="">All the time</option>
        {PRESETS.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
        {last !== undefined && !PRESETS.some(([value]) => value === last) && (
          <option value={last}>Last {duration(Number(last))}</option>
        )}
        <option value="exact">From … to …</option>
      </select>
      {shown && (
        <span class="row times">
          <input
            type="datetime-local"
            step="1"
            aria-label="From"
            value={local(from)}
            onChange={set('from')}
          />
          <input type="datetime-local" step="1" aria-label="To" value={local(to)} onChange={set('to')} />
          {exact && (
            <button
              type="button"
              class="plain"
              aria-label={`Remove filter: ${from === undefined ? '' : `from ${clock(Number(from))}`} ${to === undefined ? '' : `to ${clock(Number(to))}`}`}
              onClick={() => {
                setTyped(false)
                setParams({ from: undefined, to: undefined })
              }}
            >
              ×
            </button>
          )}
        </span>
      )}
    </>
  )
}

/** An instant as a field of local time takes it. */
function local(time: string | undefined): string {
  const date = new Date(Number(time))
  if (time === undefined || Number.isNaN(date.getTime())) return ''
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

/** What a search may hold, in a line. */
export const GRAMMAR =
  'Words, or key=value, key!=value, key>1, duration>50ms, is:error, "two words"; a - before it asks for what does not meet it; {…} >> {…} for spans below others'

/** The search of the lists: it is applied a moment after the last key, and at once when it is cleared or left. */
function Search({ value, placeholder }: { value: string; placeholder: string }) {
  const [text, setText] = useState(value)
  const timer = useRef(0)
  const [problem] = parseQuery(text).problems
  useEffect(() => {
    // Where the reader has gone meanwhile has a search of its own.
    clearTimeout(timer.current)
    setText(value)
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const apply = (search: string, wait: number) => {
    clearTimeout(timer.current)
    if (parseQuery(search).problems.length > 0) return
    const place = location.hash
    timer.current = setTimeout(() => {
      if (location.hash === place) setParams({ search }, route.peek().params['search'] !== undefined)
    }, wait)
  }
  return (
    <>
      <input
        type="search"
        placeholder={placeholder}
        aria-label="Search"
        title={GRAMMAR}
        value={text}
        onInput={(event) => {
          const search = event.currentTarget.value
          setText(search)
          apply(search, search === '' ? 0 : PAUSE)
        }}
        onChange={(event) => apply(event.currentTarget.value, 0)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          setText('')
          apply('', 0)
        }}
      />
      <span class="warn-text" role="status">
        {problem ?? ''}
      </span>
    </>
  )
}
