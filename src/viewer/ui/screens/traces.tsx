import { useEffect, useState } from 'preact/hooks'
import type { TraceSummary } from '../../api.js'
import { count } from '../../model/format.js'
import { api, useData } from '../client.js'
import { paused, seedTail, tail } from '../live.js'
import { Filters, filtered } from '../parts/filters.js'
import { Empty, Failed, Loading, Waiting } from '../parts/states.js'
import { Traces } from '../parts/traces.js'
import { href, route } from '../route.js'

const MOST = 200

/** Traces as they arrive; with filters, those that match, asked for again as more arrives. */
export function TracesScreen() {
  const { params } = route.value
  const filters = filtered(params)
  const [chosen, setChosen] = useState<string[]>([])
  const listed = useData<TraceSummary[]>(api('traces', params, { limit: MOST }), filters)
  useEffect(() => {
    if (!filters && listed.data !== null) seedTail(listed.data)
  }, [filters, listed.data])
  const traces = filters ? listed.data : listed.data === null ? null : tail.value
  const [left, right] = chosen

  return (
    <div class="page">
      <div class="page-head">
        <h1>{paused.value ? 'Traces, paused' : 'Live traces'}</h1>
        <Filters />
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
      </div>
      {listed.error !== null && <Failed error={listed.error} />}
      {traces === null && listed.error === null && <Loading />}
      {traces !== null && traces.length === 0 && (filters ? <NoMatch /> : <Waiting what="traces" />)}
      {traces !== null && traces.length > 0 && (
        <section class="panel" aria-label="Traces">
          <header>
            <h2>Newest first</h2>
            <span class="muted">{count(traces.length)}</span>
          </header>
          <Traces label="Traces" traces={traces} chosen={chosen} onChoose={setChosen} />
        </section>
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
