import type { ColourBy } from '../../model/colour.js'
import { count } from '../../model/format.js'
import { zoom } from '../../model/window.js'
import { GRAMMAR } from '../parts/filters.js'
import type { Mode, TraceView } from './view.js'

const MODES: readonly (readonly [Mode, string])[] = [
  ['waterfall', 'Waterfall'],
  ['lanes', 'Lanes'],
  ['statistics', 'Statistics'],
  ['flame', 'Flame graph'],
  ['logs', 'Logs'],
]

/** What changes the view of a trace. */
export function Toolbar({ view }: { view: TraceView }) {
  const isBoard = view.mode.value === 'waterfall' || view.mode.value === 'lanes'
  const middle = (): number => (view.window.peek().from + view.window.peek().to) / 2
  const by = (factor: number) => () => {
    view.window.value = zoom(view.window.peek(), view.bounds, factor, middle())
  }
  return (
    <div class="toolbar" role="toolbar" aria-label="View of the trace">
      <div class="group" role="group" aria-label="Kind of view">
        {MODES.map(([mode, label]) => (
          <button
            key={mode}
            type="button"
            aria-pressed={view.mode.value === mode}
            onClick={() => {
              view.mode.value = mode
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <Search view={view} />
      {isBoard && (
        <label class="row">
          <span class="muted">Colour by</span>
          <select
            value={view.colourBy.value}
            onChange={(event) => {
              view.colourBy.value = event.currentTarget.value as ColourBy
            }}
          >
            <option value="thread">thread</option>
            <option value="service">service</option>
            <option value="name">name</option>
          </select>
        </label>
      )}
      {isBoard && (
        <>
          <button
            type="button"
            aria-pressed={view.critical.value}
            title="Underline what held the transaction up (c)"
            onClick={() => {
              view.critical.value = !view.critical.value
            }}
          >
            Critical path
          </button>
          <button type="button" title="Fold all (f)" onClick={() => view.foldAll(true)}>
            Fold
          </button>
          <button type="button" title="Unfold all (Shift f)" onClick={() => view.foldAll(false)}>
            Unfold
          </button>
          <span class="grow" />
          <div class="group" role="group" aria-label="Zoom">
            <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={by(2)}>
              −
            </button>
            <button
              type="button"
              aria-label="Zoom in"
              title="Zoom in (+), or the wheel with Control"
              onClick={by(0.5)}
            >
              +
            </button>
            <button
              type="button"
              title="The whole trace (0)"
              onClick={() => {
                view.window.value = view.bounds
              }}
            >
              Whole
            </button>
          </div>
        </>
      )}
    </div>
  )
}

function Search({ view }: { view: TraceView }) {
  const problem = view.problem.value
  const asked = view.query.value.trim() !== '' && problem === '' && !view.isFinding.value
  const found = view.matches.value.length
  return (
    <search class="row">
      <input
        type="search"
        placeholder="Find spans"
        aria-label="Find spans in this trace"
        title={GRAMMAR}
        value={view.query.value}
        onInput={(event) => {
          view.query.value = event.currentTarget.value
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') view.nextMatch(event.shiftKey ? -1 : 1)
          else if (event.key === 'Escape') {
            view.query.value = ''
            event.currentTarget.blur()
          }
        }}
      />
      <span class={problem !== '' || (asked && found === 0) ? 'warn-text' : 'muted'} role="status">
        {asked ? `${count(found)} found` : problem}
      </span>
      {asked && found > 0 && (
        <>
          <button type="button" class="plain" aria-label="Previous match" onClick={() => view.nextMatch(-1)}>
            ↑
          </button>
          <button type="button" class="plain" aria-label="Next match" onClick={() => view.nextMatch(1)}>
            ↓
          </button>
        </>
      )}
    </search>
  )
}
