import { useEffect, useRef, useState } from 'preact/hooks'
import type { ServiceRow } from '../../api.js'
import { duration } from '../../model/format.js'
import { parseQuery } from '../../query.js'
import { FILTERS, useData } from '../client.js'
import { route, setParams } from '../route.js'

const SHOWN: Readonly<Record<string, (value: string) => string>> = {
  transaction: (value) => value,
  host: (value) => `Host ${value}`,
  from: (value) => `From ${clock(Number(value))}`,
  to: (value) => `To ${clock(Number(value))}`,
  min: (value) => `At least ${duration(Number(value))}`,
  max: (value) => `At most ${duration(Number(value))}`,
  search: (value) => value,
}

/** Milliseconds without a key before a search is applied. */
const PAUSE = 300

/** The filters that all lists share; they live in the address. */
export function Filters() {
  const { params } = route.value
  const { data: services } = useData<ServiceRow[]>('/api/services', true)
  const chips = FILTERS.filter((name) => SHOWN[name] !== undefined && params[name] !== undefined)
  return (
    <search class="filters" aria-label="Filters">
      <select
        aria-label="Service"
        value={params['service'] ?? ''}
        onChange={(event) => setParams({ service: event.currentTarget.value, transaction: undefined })}
      >
        <option value="">All services</option>
        {services?.map(({ service }) => (
          <option key={service} value={service}>
            {service}
          </option>
        ))}
        {params['service'] !== undefined &&
          !services?.some(({ service }) => service === params['service']) && (
            <option value={params['service']}>{params['service']}</option>
          )}
      </select>
      <select
        aria-label="Status"
        value={params['status'] ?? ''}
        onChange={(event) => setParams({ status: event.currentTarget.value })}
      >
        <option value="">Any status</option>
        <option value="ok">ok</option>
        <option value="error">error</option>
        {params['status'] !== undefined && !['ok', 'error', ''].includes(params['status']) && (
          <option value={params['status']}>{params['status']}</option>
        )}
      </select>
      <Search value={params['search'] ?? ''} />
      {chips.map((name) => (
        <span class="chip" key={name}>
          <span>{SHOWN[name]!(params[name]!)}</span>
          <button
            type="button"
            aria-label={`Remove filter: ${SHOWN[name]!(params[name]!)}`}
            onClick={() => setParams({ [name]: undefined })}
          >
            ×
          </button>
        </span>
      ))}
    </search>
  )
}

/** What a search may hold, in a line. */
export const GRAMMAR =
  'Words, or key=value, key!=value, key>1, duration>50ms, is:error, "two words"; a - before it asks for what does not meet it'

/** The search of the lists: it is applied a moment after the last key, and at once when it is cleared or left. */
function Search({ value }: { value: string }) {
  const [text, setText] = useState(value)
  const timer = useRef(0)
  const [problem] = parseQuery(text).problems
  useEffect(() => setText(value), [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const apply = (search: string, wait: number) => {
    clearTimeout(timer.current)
    if (parseQuery(search).problems.length > 0) return
    timer.current = setTimeout(() => setParams({ search }, route.peek().params['search'] !== undefined), wait)
  }
  return (
    <>
      <input
        type="search"
        placeholder="Name or attribute"
        aria-label="Search in names and attributes"
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

/** Whether any filter is set. */
export function filtered(params: Readonly<Record<string, string>>): boolean {
  return FILTERS.some((name) => params[name] !== undefined)
}

/** The local time of an instant, with the date (ISO 8601 order) when it is not today's. */
export function clock(time: number): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return '–'
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  if (date.toDateString() === new Date().toDateString()) return clock
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`
}
