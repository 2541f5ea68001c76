import type { ErrorGroup } from '../../api.js'
import { count } from '../../model/format.js'
import { api, useData } from '../client.js'
import { clock, Filters, filtered } from '../parts/filters.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { type Column, Table } from '../parts/table.js'
import { href, route } from '../route.js'

/** Errors, grouped by what they are and where they come from. */
export function ErrorsScreen() {
  const { params } = route.value
  const { data, error } = useData<ErrorGroup[]>(api('errors', params), true)
  return (
    <div class="page">
      <div class="page-head">
        <h1>Errors</h1>
        <Filters />
      </div>
      {error !== null && <Failed error={error} />}
      {data === null && error === null && <Loading />}
      {data !== null && data.length === 0 && (
        <Empty title={filtered(params) ? 'No error matches' : 'No errors'}>
          <p>
            {filtered(params)
              ? 'Remove a filter above to see more.'
              : 'Exceptions recorded on spans appear here, and spans that were still open when their thread or process died.'}
          </p>
        </Empty>
      )}
      {data !== null && data.length > 0 && (
        <section class="panel" aria-label="Error groups">
          <Table
            label="Error groups"
            rows={data}
            columns={COLUMNS}
            keyOf={(row) => row.fingerprint}
            sort="last"
          />
        </section>
      )}
    </div>
  )
}

const COLUMNS: Column<ErrorGroup>[] = [
  {
    key: 'type',
    title: 'Error',
    name: true,
    value: ({ type }) => type,
    cell: ({ fingerprint, type, message }) => (
      <>
        <a href={href(['errors', fingerprint])}>{type || 'Error'}</a>
        <span class="muted">{message}</span>
      </>
    ),
  },
  {
    key: 'culprit',
    title: 'Where',
    value: ({ culprit }) => culprit,
    cell: ({ culprit }) => <code>{culprit || '–'}</code>,
  },
  {
    key: 'transactions',
    title: 'Transactions',
    cell: ({ transactions, services }) => (
      <>
        <div>{brief(transactions)}</div>
        <div class="muted">{brief(services)}</div>
      </>
    ),
  },
  { key: 'count', title: 'Count', number: true, value: (row) => row.count, cell: (row) => count(row.count) },
  {
    key: 'first',
    title: 'First seen',
    number: true,
    value: ({ first }) => first,
    cell: ({ first }) => clock(first),
  },
  {
    key: 'last',
    title: 'Last seen',
    number: true,
    value: ({ last }) => last,
    cell: ({ last }) => clock(last),
  },
]

function brief(names: readonly string[]): string {
  if (names.length === 0) return '–'
  return names.length === 1 ? names[0]! : `${names[0]} and ${names.length - 1} more`
}
