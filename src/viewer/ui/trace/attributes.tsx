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

/** Attributes by name; what they hold is only ever text. */
export function Attributes({ of }: { of: Readonly<Record<string, unknown>> }) {
  const names = Object.keys(of).sort()
  if (names.length === 0) return null
  return (
    <dl class="attributes">
      {names.map((name) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Value name={name} value={of[name]} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Value({ name, value }: { name: string; value: unknown }) {
  const text = typeof value === 'string' ? value : inOneLine(value)
  if (SQL.has(name) && typeof value === 'string') {
    return (
      <div class="sql">
        <pre>{formatSql(value.slice(0, LONGEST))}</pre>
        <button type="button" class="plain" onClick={() => void copy(value, 'Statement')}>
          Copy
        </button>
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
