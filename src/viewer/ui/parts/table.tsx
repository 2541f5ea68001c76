import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { count } from '../../model/format.js'
import { sortOf } from '../client.js'
import { route, setParams } from '../route.js'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  /** What the column sorts by; without it, it does not sort. */
  readonly value?: (row: Row) => number | string
  readonly cell: (row: Row) => ComponentChildren
  readonly number?: boolean
  /** Takes the room that the others leave, and is cut where that is not enough. */
  readonly name?: boolean
  /** Cut where it is longer than a name usually is. */
  readonly brief?: boolean
  readonly hint?: string
}

interface Props<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** The column that sorts at first, descending. */
  readonly sort?: string
  /** The parameter of the address by which the server sorts; without it the page sorts the rows that it has. */
  readonly server?: string
  readonly selected?: (row: Row) => boolean
  /** How many rows there are, and what brings more of them. */
  readonly total?: number
  readonly onMore?: () => void
}

/** A table whose columns sort. */
export function Table<Row>(props: Props<Row>) {
  const { label, rows, columns, keyOf, sort = '', server, selected, total = rows.length, onMore } = props
  const [local, setLocal] = useState({ key: sort, down: true })
  const asked = server === undefined ? undefined : sortOf(route.value.params[server])
  const order = asked === undefined ? local : { key: asked.sort ?? sort, down: asked.order !== 'asc' }
  const set = (key: string, down: boolean): void => {
    if (server === undefined) setLocal({ key, down })
    else setParams({ [server]: key === sort && down ? undefined : `${key}${down ? '' : '.asc'}` }, true)
  }
  const sorted = useMemo(() => {
    const value = server === undefined ? columns.find(({ key }) => key === order.key)?.value : undefined
    if (value === undefined) return rows
    const sign = order.down ? -1 : 1
    return [...rows].sort((a, b) => {
      const x = value(a)
      const y = value(b)
      return x === y ? 0 : x < y ? -sign : sign
    })
  }, [rows, columns, order.key, order.down])
  const kind = ({ number, name, brief }: Column<Row>) =>
    number ? 'number' : name ? 'name' : brief ? 'brief' : ''

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse */}
      <section class="table-wrap" aria-label={label} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => {
                const { key, title, value, hint } = column
                const on = key === order.key
                const direction = on ? (order.down ? 'descending' : 'ascending') : undefined
                return (
                  <th key={key} scope="col" class={kind(column)} aria-sort={direction} title={hint}>
                    {value === undefined ? (
                      title || <span class="sr-only">{key}</span>
                    ) : (
                      <button type="button" onClick={() => set(key, on ? !order.down : true)}>
                        {title}
                        <span aria-hidden="true">{on ? (order.down ? '↓' : '↑') : ''}</span>
                      </button>
                    )}
                  </th>
                )
              })}
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={keyOf(row)} class={selected?.(row) ? 'selected' : ''}>
                {columns.map((column) => (
                  <td key={column.key} class={kind(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {total > rows.length && onMore !== undefined && (
        <div class="more">
          <button type="button" onClick={onMore}>
            Show more ({count(total - rows.length)} left)
          </button>
        </div>
      )}
    </>
  )
}

/** A share from 0 to 1 as a small bar, with its number as text beside it. */
export function Meter({ share, text }: { share: number; text: string }) {
  return (
    <>
      <span class="meter" aria-hidden="true">
        <i style={{ width: `${Math.round(Math.min(1, Math.max(0, share)) * 100)}%` }} />
      </span>
      {text}
    </>
  )
}

/** Counts over time as a small picture. */
export function Trend({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values)
  return (
    <svg class="trend" viewBox={`0 0 ${values.length * 3} 18`} preserveAspectRatio="none" aria-hidden="true">
      {values.map((value, i) => {
        const height = value === 0 ? 0 : Math.max(1, (value / most) * 18)
        return <rect key={i} x={i * 3} y={18 - height} width="2.4" height={height} />
      })}
    </svg>
  )
}
