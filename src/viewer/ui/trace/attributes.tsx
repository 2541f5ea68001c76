import type { ComponentChildren } from 'preact'
import { count } from '../../model/format.js'
import { formatSql } from '../../model/sql.js'
import { copy } from '../toast.js'

/** Attributes that hold a statement; `db.statement` is the name before the stable conventions. */
const SQL = new Set(['db.query.text', 'db.statement'])
/** Longer values are cut until asked for in the JSON. */
const LONGEST = 20_000

/** A part of the details that folds; nothing when it is empty. */
export function Section(props: { title: string; many: number; open?: boolean; children: ComponentChildren }) {
  const { title, many, open = false, children } = props
  if (many === 0) return null
  return (
    <details open={open}>
      <summary>
        <h3>{title}</h3> <span class="muted">{count(many)}</span>
      </summary>
      {children}
    </details>
  )
}

/** Attributes by name; what they hold is only ever text. `onFilter` is given a term that finds what has the same value. */
export function Attributes(props: {
  of: Readonly<Record<string, unknown>>
  onFilter?: ((term: string) => void) | undefined
}) {
  const { of, onFilter } = props
  const names = Object.keys(of).sort()
  if (names.length === 0) return null
  return (
    <dl class="attributes">
      {names.map((name) => (
        <div key={name}>
          <dt>
            <span>{name}</span>
            <Actions name={name} value={of[name]} onFilter={onFilter} />
          </dt>
          <dd>
            <Value name={name} value={of[name]} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

interface ActionsProps {
  readonly name: string
  readonly value: unknown
  readonly onFilter: ((term: string) => void) | undefined
}

function Actions({ name, value, onFilter }: ActionsProps) {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  // The grammar has no way to write these.
  const plain = typeof value !== 'object' && !/["\s]/.test(name) && !/["\n]/.test(text) && text.length < 500
  return (
    <span class="actions">
      {onFilter !== undefined && plain && (
        <button
          type="button"
          class="small"
          aria-label={`Find ${name}=${text.slice(0, 80)}`}
          onClick={() => onFilter(`${name}="${text}"`)}
        >
          Find
        </button>
      )}
      <button type="button" class="small" aria-label={`Copy ${name}`} onClick={() => void copy(text, name)}>
        Copy
      </button>
    </span>
  )
}

function Value({ name, value }: { name: string; value: unknown }) {
  const text = typeof value === 'string' ? value : inOneLine(value)
  if (SQL.has(name) && typeof value === 'string') {
    return (
      <div class="sql">
        <pre>{formatSql(value.slice(0, LONGEST))}</pre>
      </div>
    )
  }
  return <pre class={typeof value === 'string' ? '' : 'literal'}>{cut(text ?? 'null')}</pre>
}

/** JSON on one line while that is short. */
function inOneLine(value: unknown): string | undefined {
  const line = JSON.stringify(value)
  return line === undefined || line.length < 120 ? line : JSON.stringify(value, null, 2)
}

function cut(text: string): string {
  return text.length > LONGEST
    ? `${text.slice(0, LONGEST)}… ${count(text.length - LONGEST)} more characters`
    : text
}
