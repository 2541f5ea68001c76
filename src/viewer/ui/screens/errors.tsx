import type { ErrorGroup } from '../../api.js'
import { count } from '../../model/format.js'
import { filtered, filtersOf } from '../client.js'
import { clock } from '../clock.js'
import { Filters } from '../parts/filters.js'
import { useList } from '../parts/list.js'
import { Empty, Failed, Loading } from '../parts/states.js'
import { type Column, Table } from '../parts/table.js'
import { href, route } from '../route.js'

/** Errors, grouped by what they are and where they come from. */
export function ErrorsScreen() {
  const { params } = route.value
  const { data, error, total, more } = useList<ErrorGroup>('errors', { first: 50 })
  return (
    <div class="page">
      <div class="page-head">
        <h1>Errors</h1>
        <Filters kind="traces" />
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
        <div class="panel">
          <Table
            label="Error groups"
            rows={data}
            columns={COLUMNS}
            keyOf={(row) => row.fingerprint}
            sort="last"
            server="sort"
            total={total}
            onMore={more}
          />
        </div>
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
        <a title={type} href={href(['errors', fingerprint], filtersOf(route.peek().params))}>
          {type || 'Error'}
        </a>
        <span class="muted" title={message}>
          {message}
        </span>
      </>
    ),
  },
  {
    key: 'culprit',
    title: 'Where',
    brief: true,
    value: ({ culprit }) => culprit,
    cell: ({ culprit }) => <code title={culprit}>{culprit || '–'}</code>,
  },
  {
    key: 'transactions',
    title: 'Transactions',
    brief: true,
    cell: ({ transactions, services }) => (
      <>
        <div title={transactions.join(', ')}>{brief(transactions)}</div>
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
