import type { LogList } from '../../api.js'
import { offset, plural } from '../../model/format.js'
import { parseQuery } from '../../query.js'
import { api, useData } from '../client.js'
import { Records } from '../parts/records.js'
import { Failed, Loading } from '../parts/states.js'
import type { TraceView } from './view.js'

/** The log records of a trace in order of time, those without a span among them; the search of the trace narrows them. */
export function TraceLogs({ view }: { view: TraceView }) {
  const { trace } = view
  const search = view.query.value.trim()
  const wrong = parseQuery(search).problems.length > 0
  const { data, error } = useData<LogList>(
    api('logs', {}, { trace: trace.id, limit: 1000, search: search === '' || wrong ? undefined : search }),
    true,
  )
  if (error !== null) return <Failed error={error} />
  if (data === null) return <Loading />
  return (
    <div class="beside">
      {data.total === 0 ? (
        <p class="muted">
          {search === '' ? 'No log record names this trace.' : 'No log record of this trace matches.'}
        </p>
      ) : (
        <>
          <p class="muted">
            {plural(data.total, 'record')}
            {data.total > data.logs.length && `, the first ${data.logs.length} of them`}, at their time after
            the start of the trace
          </p>
          <Records
            logs={data.logs}
            when={(time) => offset(time - trace.origin - trace.from)}
            onSpan={(id) => {
              const span = trace.ids.indexOf(id)
              view.mode.value = 'waterfall'
              if (span >= 0) view.select(span, true)
            }}
          />
        </>
      )}
    </div>
  )
}
