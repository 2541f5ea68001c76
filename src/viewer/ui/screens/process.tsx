import type { MetricRow, ProcessRow } from '../../api.js'
import { api, filtersOf, useData } from '../client.js'
import { clock } from '../clock.js'
import { Filters } from '../parts/filters.js'
import { Metric } from '../parts/metric.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { href, route, setParams } from '../route.js'
import { processName } from './processes.js'

/** One process, or one of its threads: what it is, and its metrics by what they are about. */
export function ProcessScreen({ process }: { process: string }) {
  const { params } = route.value
  const { thread } = params
  const time = timeOf(params)
  const filter = { ...time, process }
  const row = useData<ProcessRow>(api(`processes/${encodeURIComponent(process)}`, time), true)
  const metrics = useData<MetricRow[]>(api('metrics', filter, { thread }), true)
  const error = row.error ?? metrics.error
  const lists = { ...time, process }
  const mark = markOf(params['at'])
  return (
    <div class="page">
      <div class="page-head">
        <nav class="crumbs" aria-label="Where this is">
          <a href={href(['processes'], filtersOf(params))}>Processes</a>
          <span aria-hidden="true">/</span>
        </nav>
        <h1>{row.data === null ? process : processName(row.data)}</h1>
        <Filters kind="process" placeholder={null} />
      </div>
      {error !== null && <Failed error={error} />}
      {row.data !== null && (
        <>
          <p class="muted">{factsOf(row.data)}</p>
          <p class="row">
            {(['transactions', 'traces', 'errors', 'logs'] as const).map((list) => (
              <a key={list} href={href([list], lists)}>
                Its {list}
              </a>
            ))}
          </p>
          <Threads of={row.data} thread={thread} />
        </>
      )}
      {mark !== undefined && (
        <p class="muted">
          Marked: the span from {clock(mark[0])} to {clock(mark[1])}.
        </p>
      )}
      {metrics.data === null && error === null && <Loading />}
      {metrics.data !== null && metrics.data.length === 0 && (
        <Empty title={thread === undefined ? 'No metrics of this process' : 'No metrics of this thread'}>
          <p>
            {thread === undefined
              ? 'Those that it exports over OTLP to this viewer are charted here (OTEL_METRICS_EXPORTER=otlp).'
              : 'What is measured of the whole process is there without a thread.'}
          </p>
        </Empty>
      )}
      {sectionsOf(metrics.data ?? []).map(([title, rows]) => (
        <section key={title} aria-label={title}>
          <h2>{title}</h2>
          <div class="cards">
            {rows.map((metric) => (
              <Metric key={metric.name} row={metric} params={filter} thread={thread} mark={mark} />
            ))}
          </div>
        </section>
      ))}
    </div>
  )
}

/** Of a filter that was set elsewhere, what a process can be looked at by: of service, host and environment it has one. */
function timeOf(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => ['from', 'to', 'last'].includes(name)))
}

function Threads({ of: { threads }, thread }: { of: ProcessRow; thread: string | undefined }) {
  if (threads.length === 0) return null
  return (
    <fieldset class="row group-row" aria-label="Threads">
      <button
        type="button"
        aria-pressed={thread === undefined}
        onClick={() => setParams({ thread: undefined })}
      >
        The process
      </button>
      {threads.map(({ id, name }) => (
        <button
          key={id}
          type="button"
          aria-pressed={thread === id}
          title={`thread.id ${id}`}
          onClick={() => setParams({ thread: id })}
        >
          {name || `thread ${id}`}
        </button>
      ))}
    </fieldset>
  )
}

function factsOf({ host, runtime, version, process, pid }: ProcessRow): string {
  return [
    pid !== '' && `process ${pid}`,
    host !== '' && `on ${host}`,
    runtime,
    version !== '' && `version ${version}`,
    process,
  ]
    .filter(Boolean)
    .join(' · ')
}

/** What a metric is about, by how its name begins, in the order in which one looks. */
const SECTIONS: readonly (readonly [string, RegExp])[] = [
  ['Processor and memory', /^(?:process|container)\./],
  ['Event loop', /^nodejs\.eventloop\./],
  ['Garbage collection', /^v8js\.gc\./],
  ['Heap', /^v8js\./],
  ['Pools', /^threadspan\.pool\./],
  ['Requests and statements', /^(?:http|db|rpc|messaging)\./],
  ['Machine', /^system\./],
  ['Others', /^/],
]

function sectionsOf(rows: readonly MetricRow[]): [string, MetricRow[]][] {
  const sections = SECTIONS.map(([title]): [string, MetricRow[]] => [title, []])
  for (const row of rows) sections[SECTIONS.findIndex(([, name]) => name.test(row.name))]![1].push(row)
  return sections.filter(([, of]) => of.length > 0)
}

/** `from~to`, milliseconds since the epoch. */
function markOf(text = ''): readonly [number, number] | undefined {
  const [from, to] = text.split('~').map(Number)
  return from !== undefined && to !== undefined && from <= to && from > 0 ? [from, to] : undefined
}
