import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { count } from '../../model/format.js'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  /** What the column sorts by; without it, it does not sort. */
  readonly value?: (row: Row) => number | string
  readonly cell: (row: Row) => ComponentChildren
  readonly number?: boolean
  readonly name?: boolean
  readonly hint?: string
}

/** Rows shown before the reader asks for more: what a browser lays out without a pause. */
const PAGE = 200

interface Props<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** The column that sorts at first, descending. */
  readonly sort?: string
  readonly selected?: (row: Row) => boolean
}

/** A table whose columns sort. */
export function Table<Row>({ label, rows, columns, keyOf, sort, selected }: Props<Row>) {
  const [order, setOrder] = useState({ key: sort ?? '', down: true })
  const [shown, setShown] = useState(PAGE)
  const sorted = useMemo(() => {
    const value = columns.find(({ key }) => key === order.key)?.value
    if (value === undefined) return rows
    const sign = order.down ? -1 : 1
    return [...rows].sort((a, b) => {
      const x = value(a)
      const y = value(b)
      return x === y ? 0 : x < y ? -sign : sign
    })
  }, [rows, columns, order])

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable without a mouse */}
      <section class="table-wrap" aria-label={label} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {columns.map(({ key, title, value, number, hint }) => {
                const on = key === order.key
                const direction = on ? (order.down ? 'descending' : 'ascending') : undefined
                return (
                  <th key={key} scope="col" class={number ? 'number' : ''} aria-sort={direction} title={hint}>
                    {value === undefined ? (
                      title
                    ) : (
                      <button type="button" onClick={() => setOrder({ key, down: on ? !order.down : true })}>
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
            {sorted.slice(0, shown).map((row) => (
              <tr key={keyOf(row)} class={selected?.(row) ? 'selected' : ''}>
                {columns.map(({ key, cell, number, name }) => (
                  <td key={key} class={number ? 'number' : name ? 'name' : ''}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {sorted.length > shown && (
        <div class="more">
          <button type="button" onClick={() => setShown(shown + PAGE)}>
            Show more ({count(sorted.length - shown)} left)
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
