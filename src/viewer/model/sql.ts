/** Clauses that start a line; those of several words come first, so that the longest one matches. */
const CLAUSES = [
  'insert into',
  'delete from',
  'group by',
  'order by',
  'left outer join',
  'right outer join',
  'full outer join',
  'left join',
  'right join',
  'inner join',
  'cross join',
  'on conflict',
  'union all',
  'select',
  'from',
  'where',
  'having',
  'limit',
  'offset',
  'join',
  'union',
  'values',
  'update',
  'set',
  'returning',
  'with',
]
const CLAUSE = new RegExp(`^(?:${CLAUSES.map((words) => words.replaceAll(' ', '\\s+')).join('|')})\\b`, 'i')
const CONDITION = /^(?:and|or)\b/i
/** String, quoted name, comment, word, white space, or any one character. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|[\p{L}\p{N}_$.:@]+|\s+|[\s\S]/uy

/**
 * Lays a statement out over several lines, a clause on each, without changing anything but white space outside of strings
 * and comments. Text in parentheses stays on its line, since most of it is lists. It is no parser: any text is returned.
 */
export function formatSql(text: string): string {
  const lines: string[] = []
  let line = ''
  let parentheses = 0
  let between = false
  const flush = (indent: string): void => {
    if (line.trim() !== '') lines.push(line.trimEnd())
    line = indent
  }
  TOKEN.lastIndex = 0
  for (let at = 0; at < text.length; ) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[0] ?? text[at]!
    if (parentheses === 0 && /^[a-z]/i.test(token)) {
      const clause = CLAUSE.exec(text.slice(at, at + 40))
      if (clause !== null) {
        flush('')
        line = clause[0].replace(/\s+/g, ' ')
        at += clause[0].length
        continue
      }
      if (/^between$/i.test(token)) between = true
      else if (CONDITION.test(token)) {
        if (between) between = false
        else flush('  ')
      }
    }
    if (token === '(') parentheses++
    else if (token === ')') parentheses = Math.max(0, parentheses - 1)
    if (/^\s+$/.test(token)) line += line === '' || line.endsWith(' ') ? '' : ' '
    else line += token
    // What follows a line comment on its line would become part of it.
    if (token.startsWith('--')) flush('  ')
    at += token.length
  }
  flush('')
  return lines.join('\n')
}
