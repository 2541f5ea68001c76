import { useState } from 'preact/hooks'
import type { TraceSummary } from '../../api.js'
import { count } from '../../model/format.js'
import { filtered } from '../client.js'
import { paused } from '../live.js'
import { Filters } from '../parts/filters.js'
import { useList } from '../parts/list.js'
import { Empty, Failed, Loading, Waiting } from '../parts/states.js'
import { Traces } from '../parts/traces.js'
import { href, route } from '../route.js'

const FIRST = 50

/** Traces as they arrive, newest first unless sorted otherwise. */
export function TracesScreen() {
  const { params } = route.value
  const [chosen, setChosen] = useState<string[]>([])
  const { data, error, total, more } = useList<TraceSummary>('traces', { first: FIRST })
  const [left, right] = chosen

  return (
    <div class="page">
      <div class="page-head">
        <h1>{paused.value ? 'Traces, paused' : 'Live traces'}</h1>
        <Filters kind="traces" />
      </div>
      {error !== null && <Failed error={error} />}
      {data === null && error === null && <Loading />}
      {data !== null && data.length === 0 && (filtered(params) ? <NoMatch /> : <Waiting what="traces" />)}
      {data !== null && data.length > 0 && (
        <div class="panel">
          <header>
            <h2>Traces</h2>
            <span class="muted">{count(total)}</span>
            <span class="grow" />
            {left !== undefined && right !== undefined ? (
              <a class="button" href={href(['compare', left, right])}>
                Compare the two
              </a>
            ) : (
              <span class="muted">
                {left === undefined ? 'Tick two traces to compare them' : 'Tick one more'}
              </span>
            )}
          </header>
          <Traces
            label="Traces"
            traces={data}
            chosen={chosen}
            onChoose={setChosen}
            total={total}
            onMore={more}
          />
        </div>
      )}
    </div>
  )
}

function NoMatch() {
  return (
    <Empty title="No trace matches">
      <p>Remove a filter above to see more.</p>
    </Empty>
  )
}
